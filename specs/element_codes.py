"""Code for elements that say one value by several attributes, or by several elements of one tag: a device's address.

A declaration names it by its `codec`, in angle brackets; the kind whose element it is puts it into the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import eq
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class ElementCode:
    """`read(element)` gives the value, None for none; `write(holder, value)` has the element's parent say it."""

    read: Callable[[Any], Any]
    write: Callable[[Any, Any], None]
    same: Callable[[Any, Any], bool] = eq  # (declared, observed)


_CODES: Final[dict[str, ElementCode]] = {}


def make_known(codes: Mapping[str, ElementCode]) -> None:
    """Put a kind's codes into the table."""
    _CODES.update(codes)


def code_of(name: str) -> ElementCode:
    """The code of a name. Raises KeyError."""
    return _CODES[name]
