"""Finds out what writes to a source: a place for each kind of source, and the one writer that goes round with it.

Only what is needed for that one is loaded.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from reconciler.source.source import Source
from reconciler.writing.writer import Writer

if TYPE_CHECKING:
    from reconciler.source.remote import RemoteRepository


def open_writer(source: Source) -> Writer:
    """What writes to `source`, which `open_source` has opened; it goes on belonging to whoever opened it.

    Raises SourceError for a source that can't be read, and what nothing can write to.
    """
    from reconciler.source.folder import Folder
    from reconciler.source.foreign.source import ForeignSource
    from reconciler.source.git import GitRepository
    from reconciler.source.remote import RemoteRepository
    from reconciler.source.verification import VerifiedSource

    behind = source.behind if isinstance(source, VerifiedSource) else source
    if isinstance(behind, Folder):
        from reconciler.writing.plain_folder import FolderPlace

        return Writer(FolderPlace(behind))
    if isinstance(behind, ForeignSource):
        from reconciler.writing.foreign_place import ForeignPlace

        writer = Writer(ForeignPlace(behind))
        writer.recover()
        return writer
    if isinstance(behind, RemoteRepository):
        return _remote_writer(source, behind)
    assert isinstance(behind, GitRepository)  # noqa: S101 - there are no other sources
    from reconciler.writing.local import LocalPlace

    writer = Writer(LocalPlace(source, behind))
    writer.recover()
    return writer


def _remote_writer(source: Source, remote: RemoteRepository) -> Writer:
    """What writes to a remote, and pushes what waits after each fetch that works."""
    from reconciler.writing.remote import RemotePlace

    lock = threading.RLock()
    place = RemotePlace(source, remote)

    def after_fetch() -> bool:
        with lock:
            return place.settle()

    remote.after_fetch = after_fetch
    return Writer(place, lock)
