"""What is wanted of the documents, as values: which ones to put or remove, in whose name, and what came of it.

Pure. How a change gets into the text of files is for `rewriting.py`, how it becomes a commit for `writer.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from reconciler.source.tree import Revision
from specs.plain import DocumentData, NewDocument
from specs.reference import Ref


@dataclass(frozen=True, slots=True)
class Put:
    """The whole document as it should be: apiVersion, kind, metadata and spec, as plain data.

    `was` is a document that goes on under this name: it is there no more afterwards, and its comments come along.
    """

    ref: Ref
    document: DocumentData
    was: Ref | None = None


@dataclass(frozen=True, slots=True)
class Remove:
    """This document should not be there any more."""

    ref: Ref


DocumentChange = Put | Remove


class Documents(Protocol):
    """The documents at the tip that is being changed, as they are declared (templates aren't expanded)."""

    def get(self, ref: Ref) -> NewDocument | None:
        """The whole document, a copy to change at will; None when there is none that could be read."""

    def path(self, ref: Ref) -> str | None:
        """The file that holds it; None when there is none."""

    def refs(self) -> frozenset[Ref]:
        """Every document that is declared, also those with mistakes."""


Edit = Callable[[Documents], Sequence[DocumentChange]]
"""Says what has to change. Called again on fresh documents when somebody else was faster; whatever OnggiError it
raises ends the write with nothing written."""


@dataclass(frozen=True, slots=True)
class Written:
    """What came of a write. `changed` has the paths of the files; none when everything was so already and no commit
    was made. `pushed` is True when the remote has it."""

    revision: Revision
    changed: tuple[str, ...] = ()
    pushed: bool = False
