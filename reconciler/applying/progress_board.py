"""Who wants to know how far an object's step is may watch it here, whichever plan and thread performs it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from specs.reference import Ref

if TYPE_CHECKING:
    from reconciler.applying.performing import Progress

Watcher = Callable[[int, int | None], None]  # takes bytes: done, in all (None: nobody knows)


class ProgressBoard:
    """For any thread. Nothing is remembered: a watcher hears of what comes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watchers: dict[Ref, list[Watcher]] = {}

    def note(self, progress: Progress) -> None:
        """A step is somewhere else now. Watchers are called in this thread."""
        if progress.operation is None or not self._watchers:
            return
        with self._lock:
            watchers = tuple(self._watchers.get(progress.step.ref, ()))
        for watcher in watchers:
            watcher(progress.done, progress.total)

    @contextmanager
    def watching(self, ref: Ref, watcher: Watcher) -> Iterator[None]:
        """Have `watcher` told of the bytes that steps of `ref` move, until the block ends."""
        with self._lock:
            self._watchers.setdefault(ref, []).append(watcher)
        try:
            yield
        finally:
            with self._lock:
                left = self._watchers[ref]
                left.remove(watcher)
                if not left:
                    del self._watchers[ref]
