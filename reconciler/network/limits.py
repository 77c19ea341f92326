"""How many may ask servers at once for clients, so that silent servers can't hold the threads of all others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from reconciler.errors import Transient

_TURN_S: Final = 0.5
_TRY_AGAIN_S: Final = 5.0


class Busy(Transient):
    """All places are taken."""


class Limit:
    """So many `at_once`. Who comes when all are taken waits a moment, and is sent away then."""

    def __init__(self, at_once: int) -> None:
        self._free = threading.BoundedSemaphore(at_once)

    @contextmanager
    def turn(self, what: str) -> Iterator[None]:
        """One of the places, until the end of the block. `what` begins the sentence; raises Busy."""
        if not self._free.acquire(timeout=_TURN_S):
            raise Busy(f"{what} being asked by many just now; try again in a moment.", _TRY_AGAIN_S)
        try:
            yield
        finally:
            self._free.release()


# Fewer than there are threads for writes, and for reads: whatever they all wait for, the rest goes on.
FOR_CLIENTS: Final = Limit(8)
