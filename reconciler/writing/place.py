"""What the writer needs of a source that can be written: its tip, and a way to put files there unless it moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from reconciler.source.commit_text import Author
from reconciler.source.tree import Revision
from reconciler.writing.rewriting import Files, Tip


@dataclass(frozen=True, slots=True)
class Note:
    """What a commit says about itself."""

    message: str
    author: Author


class Place(Protocol):
    """A source that can be written. For one thread at a time."""

    def tip(self) -> Tip:
        """The newest revision. Raises SourceError, Transient, and Conflict for what can't be written as it stands."""

    def put(self, tip: Tip, files: Files, note: Note) -> tuple[Revision, bool]:
        """Make `files` the content, on top of `tip`: the new revision, and whether a remote has it.

        Raises Moved, Conflict for edits that would be overwritten, SourceError, Transient, Terminal. Then nothing is
        changed.
        """

    def recover(self) -> None:
        """Finish what an earlier run was cut off in. Raises as `put` does."""
