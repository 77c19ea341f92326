"""Tells at once when a local source changed, by the kernel's file events. Only a hint: whoever is woken reads it.

Events come in bursts (a commit writes a lock, renames it, touches a log); a burst wakes once. Folders may be removed
and made anew, which ends their events; a slow look at what is watched notices that and starts over.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

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

from reconciler.source.source import Source

# A folder made and filled at once is found twice by watchdog, which says so and goes on; that is no news to anybody.
warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning, r"watchdog\.")

_BURST_S: Final = 0.005
_LOOK_S: Final = 1.0

# What can be news. Opening and reading are not: our own reading would wake us for ever.
_EVENTS: list[type[FileSystemEvent]] = [
    FileCreatedEvent, FileClosedEvent, FileDeletedEvent, FileMovedEvent,
    DirCreatedEvent, DirDeletedEvent, DirMovedEvent,
]  # fmt: skip


class Watch(Protocol):
    """Something that tells of changes."""

    def start(self) -> None:
        """Watch."""

    def stop(self) -> None:
        """Stop watching; nobody is told of anything after that."""


def watching(source: Source, wake: Callable[[], object]) -> Watch:
    """What calls `wake` after each change of `source`."""
    from reconciler.source.foreign.source import ForeignSource

    return source.watcher(wake) if isinstance(source, ForeignSource) else SourceWatch(source, wake)


class SourceWatch:
    """Calls `wake` from a thread of its own after each change of `source`, within some milliseconds."""

    def __init__(self, source: Source, wake: Callable[[], object]) -> None:
        self._source = source
        self._wake = wake
        self._news = threading.Event()
        self._stopping = threading.Event()
        self._observer: BaseObserver | None = None
        self._thread: threading.Thread | None = None
        # Each watched folder, held open: a folder that takes its place then has another inode. None: it isn't there.
        self._watched: dict[Path, int | None] = {}

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
        if _plan(self._source.watch_paths()).keys() != self._watched.keys():
            return True
        return not all(_is_at(descriptor, folder) for folder, descriptor in self._watched.items())

    def _observe(self) -> None:
        self._unobserve()
        observer = self._observer = Observer()
        observer.start()
        plan = _plan(self._source.watch_paths())
        # Opened first: a folder that is replaced before it is watched is then seen as replaced by the next look.
        self._watched = {folder: _opened(folder) for folder in plan}
        for folder, names in plan.items():
            if self._watched[folder] is not None:
                try:
                    handler = _Handler(names, self._news)
                    observer.schedule(handler, str(folder), recursive=names is None, event_filter=_EVENTS)
                except OSError:
                    self._let_go(folder)  # gone just now, or no watches left: the slow look tries again

    def _unobserve(self) -> None:
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()
            self._observer = None
        for folder in self._watched:
            self._let_go(folder)
        self._watched = {}

    def _let_go(self, folder: Path) -> None:
        if (descriptor := self._watched[folder]) is not None:
            os.close(descriptor)
        self._watched[folder] = None


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
    return dict.fromkeys(whole) | {folder: frozenset(names) for folder, names in named.items() if folder not in whole}


def _opened(folder: Path) -> int | None:
    try:
        return os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None


def _is_at(descriptor: int | None, folder: Path) -> bool:
    """True while `folder` is the one that is open, or still isn't there."""
    try:
        there = folder.stat()
    except OSError:
        return descriptor is None
    return descriptor is not None and os.path.samestat(there, os.fstat(descriptor))
