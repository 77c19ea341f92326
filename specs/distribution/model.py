"""The shape of a Distribution's spec. What osinfo's database knows already needs no document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from specs.reference import Ref


def references(_name: str, _spec: Mapping[str, Any]) -> Iterable[Ref]:
    """It needs nothing else."""
    return ()


def check(_name: str, _spec: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """What an address may be, the schema says whole."""
    return ()
