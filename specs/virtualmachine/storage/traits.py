"""The binds of a drive: those with code first, which say what kind of drive it is, and then what paths say of it."""

from __future__ import annotations

from collections.abc import Iterable

from specs.binding import Field
from specs.declared import Declared
from specs.declared_binds import completed


def traits(spec: Declared, binds: Iterable[Field]) -> tuple[Field, ...]:
    """These binds of a drive's fields before those of its other ones."""
    given = tuple(binds)
    every = completed(spec, given)
    return (*given, *every[: len(every) - len(given)])
