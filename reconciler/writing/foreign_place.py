"""A repository or folder of another user as a place to write: the child writes, as that user's own git would.

Where several users may write, none of them could do so without trusting all the others, and neither do we.
"""

from __future__ import annotations

from reconciler.errors import SourceError
from reconciler.source.foreign.source import ForeignSource
from reconciler.source.tree import Revision
from reconciler.writing.place import Note
from reconciler.writing.rewriting import Files, Tip


class ForeignPlace:
    """Writes to `source` as its owner."""

    def __init__(self, source: ForeignSource) -> None:
        self._source = source

    def tip(self) -> Tip:
        """The newest revision."""
        self._refuse()
        source = self._source
        return Tip(source.tree(writing=True), source.sub_path, source.taken, source.name)

    def put(self, tip: Tip, files: Files, note: Note) -> tuple[Revision, bool]:
        """Have the child commit it, or write the folder's files."""
        self._refuse()
        return self._source.put(tip.tree, dict(files), note.message, note.author), False

    def recover(self) -> None:
        """Have the child finish what an earlier one was cut off in."""
        self._refuse()
        self._source.recover()

    def _refuse(self) -> None:
        source, others = self._source, self._source.others
        if others.several or not source.changes_identity:
            raise SourceError(
                f"{source.key} isn't written: {others.where} may be changed by {others.who}, who could lead what is "
                "written elsewhere. Give it one owner (chown -R, chmod -R go-w), or have onggi follow a bare "
                "repository by its URL, as in file:///srv/infra.git."
            )
