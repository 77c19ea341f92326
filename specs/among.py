"""What the kinds' rules between several documents are given, and how their sentences name the others."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import Final, Protocol

from specs.reference import Ref

SHOWN: Final = 3  # others that a sentence names


class Placed(Protocol):
    """A document, as far as these rules know one. `Document` itself asks the registry, which holds the rules."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def ref(self) -> Ref:
        """What it declares."""

    @property
    def path(self) -> str:
        """Its file."""

    @property
    def line(self) -> int:
        """Its line there."""

    def locate(self, pointer: str) -> tuple[int, int]:
        """(line, column) of a JSON pointer into it."""


# A document, a JSON pointer into it, and a sentence.
Clash = tuple[Placed, str, str]


def nothing(_declared: Sequence[tuple[Placed, object]], _known: Collection[Ref]) -> Iterable[Clash]:
    """The rules of a kind whose documents have nothing to do with each other."""
    return ()


def places(documents: Sequence[Placed], but: Placed) -> str:
    """Where the others are. A few are named: a sentence for each of very many may not name all the others."""
    named = list(islice((f"{other.path}:{other.line}" for other in documents if other is not but), SHOWN))
    more = len(documents) - len(named) - 1
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")


def several(documents: Iterable[Placed]) -> bool:
    """False for one thing, even where it is declared twice: that is told by itself."""
    return len({document.ref for document in documents}) > 1
