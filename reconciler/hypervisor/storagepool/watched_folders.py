"""Tells at once when files come into the folders of storage pools or go, whoever put them there or took them away.

libvirt lists what it found when it looked last, and tells of no change. The kernel does, for folders of this machine,
but not of what another machine does to a file system that both share: there somebody has to ask for a look.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

from reconciler.host.mounts import is_shared
from reconciler.locality import is_here
from reconciler.observed.snapshot import Observed, Snapshot
from specs.reference import STORAGE_POOL, Ref

_BURST_S: Final = 0.1  # what is told within it is looked at once: a copy of many files comes in many events
_EVENTS: Final[list[type[FileSystemEvent]]] = [
    FileCreatedEvent, FileClosedEvent, FileDeletedEvent, FileMovedEvent,
    DirCreatedEvent, DirDeletedEvent, DirMovedEvent,
]  # fmt: skip
_BLOCK: Final = 512  # bytes, in which `st_blocks` counts


@dataclass(frozen=True, slots=True)
class _Watched:
    """A pool's folder. It is another one once something else is at its path, such as what was mounted there."""

    folder: str
    watch: ObservedWatch
    identity: tuple[int, int]
    shared: bool  # with other machines


class PoolFolders:
    """Calls `outdated` with the name of a pool that libvirt has to look at again, and `changed` with what to read anew.

    `snapshot` gives what is known of the host. Both are called from a thread of its own.
    """

    def __init__(
        self,
        uri: str,
        *,
        snapshot: Callable[[], Snapshot | None],
        outdated: Callable[[str], object],
        changed: Callable[[Ref], object],
    ) -> None:
        self._here = is_here(uri)
        self._snapshot = snapshot
        self._outdated = outdated
        self._changed = changed
        self._watched: dict[str, _Watched] = {}
        self._told: dict[str, set[str]] = {}  # names of files by pool
        self._news = threading.Event()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._observer: BaseObserver | None = None
        self._thread: threading.Thread | None = None

    def follow(self, snapshot: Snapshot) -> None:
        """Watch the folders of these pools, as far as they are active, and no others. Cheap when nothing changed."""
        if not self._here:
            return
        wanted = {
            name: folder
            for name, folder in snapshot.host.pool_paths.items()
            if (pool := snapshot.get(Ref(STORAGE_POOL, name))) is not None and pool.active
        }
        for name in [name for name, each in self._watched.items() if wanted.get(name) != each.folder]:
            self._leave(name)
        for name, folder in wanted.items():
            if name not in self._watched:
                self._watch(name, folder)

    def close(self) -> None:
        """Nothing is called after this."""
        self._stopping.set()
        self._news.set()
        if self._thread is not None:
            self._thread.join()
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()

    def _watch(self, name: str, folder: str) -> None:
        if self._observer is None:
            self._observer = Observer()
            self._observer.start()
            self._thread = threading.Thread(target=self._run, name="pool-folders", daemon=True)
            self._thread.start()
        try:
            watch = self._observer.schedule(_Handler(self, name), folder, recursive=False, event_filter=_EVENTS)
            self._watched[name] = _Watched(folder, watch, _identity(folder), is_shared(folder))
        except OSError:
            return  # it isn't there, or there are no watches left: who wants to know asks for a look

    def _leave(self, name: str) -> None:
        watch = self._watched.pop(name).watch
        if self._observer is not None and all(other.watch != watch for other in self._watched.values()):
            self._observer.unschedule(watch)

    def note(self, pool: str, file: str) -> None:
        """A file of a pool came, went or was written to."""
        with self._lock:
            self._told.setdefault(pool, set()).add(file)
        self._news.set()

    def _run(self) -> None:
        while True:
            self._news.wait()
            if self._stopping.wait(_BURST_S):
                return
            self._news.clear()
            with self._lock:
                told, self._told = self._told, {}
            snapshot = self._snapshot()
            for pool, files in told.items():
                watched = self._watched.get(pool)
                if snapshot is not None and watched is not None:
                    self._look(pool, Path(watched.folder), files, snapshot)

    def tells(self, pool: str) -> bool:
        """True when every change to the pool's folder is told of by itself."""
        watched = self._watched.get(pool)
        if watched is None or watched.shared:
            return False
        try:
            return _identity(watched.folder) == watched.identity
        except OSError:
            return False

    def look(self, pool: str) -> bool:
        """Compare the pool's folder with what is known of it. False when it can't be looked into from here.

        Blocks for the disk, or for the server behind it.
        """
        snapshot = self._snapshot()
        folder = snapshot.host.pool_paths.get(pool, "") if snapshot is not None and self._here else ""
        if snapshot is None or not folder:
            return False
        try:
            files = {path.name for path in Path(folder).iterdir()}
        except OSError:
            return False
        known = {ref.short_name for ref in snapshot.objects if ref.pool == pool}
        self._look(pool, Path(folder), files | known, snapshot)
        return True

    def _look(self, pool: str, folder: Path, files: set[str], snapshot: Snapshot) -> None:
        """What we made ourselves, or read since, is no news."""
        known = {file: snapshot.get(Ref.volume(pool, file)) for file in files}
        if any(os.path.lexists(folder / file) != (seen is not None) for file, seen in known.items()):
            self._outdated(pool)
            self._changed(Ref(STORAGE_POOL, pool))
        for file, seen in known.items():
            if seen is not None and _is_written(folder / file, seen):
                self._changed(seen.ref)


class _Handler(FileSystemEventHandler):
    """Passes on which file of a pool's folder an event is about."""

    def __init__(self, folders: PoolFolders, pool: str) -> None:
        self._folders = folders
        self._pool = pool

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Called by watchdog for each event."""
        for path in (event.src_path, event.dest_path):
            if path:
                self._folders.note(self._pool, Path(os.fsdecode(path)).name)


def _identity(folder: str) -> tuple[int, int]:
    found = Path(folder).stat()
    return found.st_dev, found.st_ino


def _is_written(file: Path, seen: Observed) -> bool:
    try:
        return file.lstat().st_blocks * _BLOCK != seen.details.get("allocation")
    except OSError:
        return False
