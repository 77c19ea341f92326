"""Writes a change of documents to where they come from, in one commit: read, edit, check, put; again when we were late.

How a change becomes text and how a text becomes a commit is for the other modules here; this one only goes round. Calls
are served one after the other, so that two clients of one agent never run into each other.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Final

from reconciler.desired.load import LoadedDocuments, Loader
from reconciler.errors import Conflict, OnggiError, Transient
from reconciler.source.commit_text import Author, commit_message
from reconciler.source.source import Moved
from reconciler.source.tree import Revision
from reconciler.writing.changes import DocumentChange, Edit, Put, Written
from reconciler.writing.place import Note, Place
from reconciler.writing.rewriting import Tip, TipDocuments, rewrite
from reconciler.writing.three_way import clash

log = logging.getLogger("onggi.source")

_TRIES: Final = 20


class Writer:
    """What a source is written with: writes to one place. For any thread."""

    def __init__(self, place: Place, lock: threading.RLock | None = None) -> None:
        self._place = place
        self._lock = lock or threading.RLock()
        self._loader = Loader()
        self._known: tuple[Revision, LoadedDocuments] | None = None

    def write(self, edit: Edit, *, message: str, author: Author, trailers: Mapping[str, str]) -> Written:
        """Make the changes that `edit` asks for, in one commit, or none at all.

        Raises InvalidDocument for what can't be a document or breaks another, Conflict for what somebody else changed
        or hasn't committed yet, SourceError for a source that can't be read or written, Transient for one that is
        busy, Terminal when commits have to be signed and can't be, and whatever OnggiError `edit` raises.
        """
        note = Note(commit_message(message, trailers), author)
        with self._lock:
            base: TipDocuments | None = None
            changes: tuple[DocumentChange, ...] = ()
            for _ in range(_TRIES):
                documents = self._documents(self._place.tip())
                if base is not None:
                    _refuse_clash(base, changes, documents)
                changes = tuple(edit(documents))
                files = rewrite(documents, changes, self._loader)
                if not files:
                    return Written(documents.tip.tree.revision)
                try:
                    revision, pushed = self._place.put(documents.tip, files, note)
                except Moved:
                    base = documents
                    continue
                return Written(revision, tuple(sorted(files)), pushed)
        raise Transient("The repository is changed faster than this can be written; try again in a moment.")

    def recover(self) -> None:
        """Finish what an earlier run was cut off in; what can't be is told in the log, and tried again at a write."""
        with self._lock:
            try:
                self._place.recover()
            except OnggiError as error:
                log.warning("%s", error)

    def _documents(self, tip: Tip) -> TipDocuments:
        if self._known is None or self._known[0] != tip.tree.revision:
            self._known = tip.tree.revision, self._loader.load(tip.tree)
        return TipDocuments(tip, self._known[1])


def _refuse_clash(base: TipDocuments, changes: Sequence[DocumentChange], now: TipDocuments) -> None:
    """Raises Conflict when somebody else gave a field that we change another value since `base` was read."""
    for change in changes:
        ours = change.document if isinstance(change, Put) else None
        theirs = now.get(change.ref)
        if pointer := clash(base.get(change.ref), ours, theirs):
            where = now.path(change.ref) or base.path(change.ref) or "its file"
            field = f" at {pointer}" if pointer != "/" else ""
            raise Conflict(
                f"{change.ref} was changed{field} in {where} at the same moment by the commit "
                f"{now.tip.tree.revision.digest[:12]}; look at it, and ask again."
            )
