"""The host as the loop sees it: the last good snapshot, when all of it is read again, and how long to wait for a host
that can't be reached.
"""

from __future__ import annotations

import logging
import random
import time
from dataclasses import replace
from typing import Final

from reconciler.line.line import Line
from reconciler.observed.snapshot import Snapshot
from reconciler.settings.settings import Settings
from specs.reference import Ref

log = logging.getLogger("onggi.agent")

_FIRST_RECONNECT_S: Final = 0.5
_LONGEST_RECONNECT_S: Final = 10.0


class HostObserver:
    """One per agent, for its loop; any thread may read the snapshot."""

    def __init__(self, settings: Settings, line: Line) -> None:
        self.snapshot: Snapshot | None = None  # the last good one, served while the host can't be reached
        self._settings = settings
        self._line = line
        self._next_resync = 0.0
        self._reconnect_s = 0.0

    def look(self, dirty: frozenset[Ref] | None, gone: frozenset[Ref]) -> Snapshot:
        """Read what may have changed: `dirty` (None: everything), what is `gone`, and now and then all that there is.

        Raises Disconnected.
        """
        now = time.monotonic()
        everything = dirty is None or self.snapshot is None or now >= self._next_resync
        if everything:
            self._next_resync = now + self._settings.resync_s * random.uniform(0.9, 1.1)  # noqa: S311
        if self.snapshot is None or everything or dirty or gone:
            self.snapshot = self._line.observe(None if everything or dirty is None else dirty | gone)
        if self._reconnect_s:
            log.info("connected to %s again", self._settings.connect)
        self._reconnect_s = 0.0
        return self.snapshot

    def lost(self) -> float:
        """The host can't be reached: what was seen is old. In how many seconds to try again."""
        self._reconnect_s = min(max(self._reconnect_s * 2, _FIRST_RECONNECT_S), _LONGEST_RECONNECT_S)
        if self.snapshot is not None and self.snapshot.connected:
            self.snapshot = replace(self.snapshot, connected=False)
        return self._reconnect_s

    def due_s(self) -> float:
        """In how many seconds all is read again."""
        return self._next_resync - time.monotonic()
