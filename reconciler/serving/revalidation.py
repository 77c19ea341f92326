"""Does something again when somebody asks for what is older than a second: once for all who ask, and never for long.

Who asks first waits a moment for it, so that the answer is new where that is quickly had. Who asks meanwhile gets what
is known, and what takes long goes on beside everybody.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from typing import Final

log = logging.getLogger("onggi.serving")

_PATIENCE_S: Final = 0.5
_REST: Final = 10  # what takes long is done at most for this part of the time


class Revalidation:
    """For any thread. What is `age_s` old is done again."""

    def __init__(self, *, age_s: float = 1.0, patience_s: float = _PATIENCE_S) -> None:
        self._age_s = age_s
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._running: set[Hashable] = set()
        self._due: dict[Hashable, float] = {}

    def ask(self, works: Mapping[Hashable, Callable[[], object]]) -> None:
        """Do those of these works that are due, and wait a moment for them."""
        until = time.monotonic() + self._patience_s
        for done in [self._begin(key, work) for key, work in works.items() if self._take(key)]:
            done.wait(max(0.0, until - time.monotonic()))

    def is_due(self, key: Hashable) -> bool:
        """True when whoever asks now may have to wait."""
        with self._lock:
            return key not in self._running and self._due.get(key, 0.0) <= time.monotonic()

    def _take(self, key: Hashable) -> bool:
        with self._lock:
            due = key not in self._running and self._due.get(key, 0.0) <= time.monotonic()
            if due:
                self._running.add(key)
            return due

    def _begin(self, key: Hashable, work: Callable[[], object]) -> threading.Event:
        done = threading.Event()

        def run() -> None:
            began = time.monotonic()
            try:
                work()
            except Exception as error:  # whoever asked is given what is known
                log.info("what is known of %s may be out of date: %s", key, error)
            finally:
                now = time.monotonic()
                with self._lock:
                    self._running.discard(key)
                    self._due[key] = now + max(self._age_s, _REST * (now - began))
                done.set()

        # A server that never answers must not hold up the end of the process.
        threading.Thread(target=run, name="onggi-refresh", daemon=True).start()
        return done
