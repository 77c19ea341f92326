"""Remembers which deliveries were accepted, so that a repeated one is known: for a while, and not without end.

Only genuine ones get here, so that nobody else can fill the memory or push something out of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

KEPT_S: Final = 3600.0
KEPT_MOST: Final = 10_000


class Deliveries:
    """`clock` gives seconds that only go forward. For one thread."""

    def __init__(
        self, *, kept_s: float = KEPT_S, kept_most: int = KEPT_MOST, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._kept_s = kept_s
        self._kept_most = kept_most
        self._clock = clock
        self._seen: dict[str, float] = {}  # oldest first: a dict keeps the order, and no time is written twice

    def __len__(self) -> int:
        return len(self._seen)

    def first(self, keys: Sequence[str]) -> bool:
        """True when none of `keys` was here before; all of them were from now on."""
        now = self._clock()
        self._forget(now)
        if any(key in self._seen for key in keys):
            return False
        for key in keys:
            self._seen[key] = now
        return True

    def _forget(self, now: float) -> None:
        while self._seen:
            oldest = next(iter(self._seen))
            if now - self._seen[oldest] < self._kept_s and len(self._seen) <= self._kept_most:
                return
            del self._seen[oldest]
