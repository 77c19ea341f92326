"""Pictures of machines' screens, each kept for a few seconds whoever asks: taking one costs the host a look at QEMU."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

KEEP_S: Final = 5.0
MOST: Final = 256  # a thumbnail has some 20 KB


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG, and when it was taken in seconds since 1970."""

    png: bytes
    taken: float


@dataclass(slots=True)
class _Slot:
    """One machine's. Who holds the lock takes the picture, the others wait for it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    picture: Picture | None = None
    until_s: float = 0.0


class Pictures:
    """The latest pictures by machine; the least used are forgotten. For any thread."""

    def __init__(self, *, keep_s: float = KEEP_S, most: int = MOST, now: Callable[[], float] = time.monotonic) -> None:
        self._keep_s = keep_s
        self._most = most
        self._now = now
        self._lock = threading.Lock()
        self._slots: OrderedDict[str, _Slot] = OrderedDict()

    def get(self, key: str, take: Callable[[], bytes]) -> Picture:
        """The picture of `key`, taken now unless there is one that is new enough. Raises what `take` raises."""
        slot = self._slot(key)
        with slot.lock:
            if slot.picture is None or self._now() >= slot.until_s:
                slot.picture = Picture(take(), time.time())
                slot.until_s = self._now() + self._keep_s
            return slot.picture

    def _slot(self, key: str) -> _Slot:
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
            while len(self._slots) > self._most:
                self._slots.popitem(last=False)
            return slot
