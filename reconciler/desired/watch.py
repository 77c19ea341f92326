"""Tells at once when a local source changed, by the kernel's file events. Only a hint: whoever is woken reads the source.

Events come in bursts (a commit writes a lock, renames it, touches a log); a burst wakes once. Folders may be removed and
made anew, which ends their events; a slow look at what is watched notices that and starts over.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
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
from watchdog.observers.api import BaseObserver

from reconciler.desired.source import Source

_BURST_S: Final = 0.005
_LOOK_S: Final = 1.0

# What can be news. Opening and reading are not: our own reading would wake us for ever.
_EVENTS: list[type[FileSystemEvent]] = [
    FileCreatedEvent, FileClosedEvent, FileDeletedEvent, FileMovedEvent, DirCreatedEvent, DirDeletedEvent, DirMovedEvent,
]  # fmt: skip

_Identity = tuple[int, int] | None  # device and inode of a watched folder; None while there is none


class SourceWatch:
    """Calls `wake` from a thread of its own after each change of `source`, within some milliseconds."""

    def __init__(self, source: Source, wake: Callable[[], None]) -> None:
        self._source = source
        self._wake = wake
        self._news = threading.Event()
        self._stopping = threading.Event()
        self._observer: BaseObserver | None = None
        self._thread: threading.Thread | None = None
        self._watched: dict[Path, _Identity] = {}

    def start(self) -> None:
        """Watch. Does nothing for a source that has nothing to watch (a remote)."""
        if self._thread is None and self._source.watch_paths():
            self._observe()
            self._thread = threading.Thread(target=self._run, name="source-watch", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop watching; `wake` isn't called after that."""
        self._stopping.set()
        self._news.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                if self._news.wait(_LOOK_S):
                    # The rest of the burst arrives while we wait; one call stands for all of it.
                    if self._stopping.wait(_BURST_S):
                        return
                    self._news.clear()
                    self._wake()
                elif self._replaced():
                    self._observe()
                    self._news.set()
        finally:
            self._unobserve()

    def _replaced(self) -> bool:
        """True when a watched folder is gone, is another one now, or another is to be watched."""
        return {folder: _identity(folder) for folder in _plan(self._source.watch_paths())} != self._watched

    def _observe(self) -> None:
        self._unobserve()
        observer = Observer()
        observer.start()
        self._observer = observer
        plan = _plan(self._source.watch_paths())
        # Identities are taken first: a folder replaced between the two looks is then seen as replaced by the next look.
        self._watched = {folder: _identity(folder) for folder in plan}
        for folder, names in plan.items():
            if self._watched[folder] is not None:
                try:
                    handler = _Handler(names, self._news)
                    observer.schedule(handler, str(folder), recursive=names is None, event_filter=_EVENTS)
                except OSError:
                    self._watched[folder] = None  # gone just now, or no watches left: the slow look tries again

    def _unobserve(self) -> None:
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()
            self._observer = None


class _Handler(FileSystemEventHandler):
    """Passes on events about `names` in a folder, or about anything below it when `names` is None."""

    def __init__(self, names: frozenset[str] | None, news: threading.Event) -> None:
        self._names = names
        self._news = news

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Called by watchdog for each event."""
        for path in (event.src_path, event.dest_path):
            name = Path(str(path)).name
            # A lock is made before each change and renamed into place; only the renaming is the change.
            if name and not name.endswith(".lock") and (self._names is None or name in self._names):
                self._news.set()
                return


def _plan(paths: tuple[Path, ...]) -> dict[Path, frozenset[str] | None]:
    """The folders to watch: with everything below (None), or for the named files directly in them."""
    whole = {path for path in paths if path.is_dir()}
    named: dict[Path, set[str]] = {}
    for path in paths:
        if path not in whole:
            named.setdefault(path.parent, set()).add(path.name)
    return {path: None for path in whole} | {
        folder: frozenset(names) for folder, names in named.items() if folder not in whole
    }


def _identity(folder: Path) -> _Identity:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
