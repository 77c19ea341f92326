"""When the source is asked for news: at intervals with jitter, and at once when somebody says that there are some.

However many say so, and however fast, the source is asked once for all of them and never more often than once in a
while: a storm of webhooks costs a fetch a second. What is found only wakes the loop, which reads it.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from typing import Final

from reconciler.errors import OnggiError
from reconciler.source.source import Source

log = logging.getLogger("onggi.agent")

_LEAST_GAP_S: Final = 1.0


class SourcePoller:
    """Asks `source`, and calls `wake` when it moved and `nudge` when it begins or ceases to answer.

    One thread calls `run`; `now` is for any, and returns at once.
    """

    def __init__(
        self,
        source: Source,
        wake: Callable[[], object],
        interval_s: float,
        gap_s: float = _LEAST_GAP_S,
        nudge: Callable[[], object] = lambda: None,
    ) -> None:
        self._source = source
        self._wake = wake
        self._interval_s = interval_s
        self._gap_s = gap_s
        self._nudge = nudge
        self._wanted = threading.Event()

    def now(self) -> None:
        """Ask soon: there may be a new commit."""
        self._wanted.set()

    def run(self, stop: threading.Event) -> None:
        """Ask until `stop` is set; `now` ends the wait for it."""
        while not stop.is_set():
            told = self._wanted.wait(self._pause_s())
            self._wanted.clear()  # before asking: who calls meanwhile may know of something newer
            if stop.is_set():
                return
            self._ask(told=told)
            stop.wait(self._gap_s)

    def _pause_s(self) -> float | None:
        """Many agents on one server must not ask in step. What is local is watched: without a hint nobody asks."""
        return self._interval_s * random.uniform(0.8, 1.2) if self._source.is_remote else None  # noqa: S311

    def _ask(self, *, told: bool) -> None:
        before = bool(self._source.problem)
        try:
            if self._source.fetch() or (told and not self._source.is_remote):
                self._wake()
        except OnggiError as error:
            log.debug("%s", error)  # the loop tells of it, once
        if bool(self._source.problem) is not before:
            self._nudge()
