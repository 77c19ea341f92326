"""A few places for many clients, of which none gets all: a quarter is left for others."""

from __future__ import annotations

import threading
from collections import Counter


class Quota:
    """Who holds how many places. For any thread."""

    def __init__(self) -> None:
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()

    def has_room(self, who: str, most: int) -> bool:
        """Whether one of `most` places could be taken now."""
        with self._lock:
            return self._has_room(who, most)

    def acquire(self, who: str, most: int) -> bool:
        """One of `most` places; False when there is none, or none for this one."""
        with self._lock:
            if not self._has_room(who, most):
                return False
            self._held[who] += 1
            return True

    def release(self, who: str) -> None:
        """One that was taken."""
        with self._lock:
            self._held[who] -= 1
            self._held += Counter()  # forgets who has none

    def _has_room(self, who: str, most: int) -> bool:
        return self._held.total() < most and self._held[who] < most_of_one(most)


def most_of_one(most: int) -> int:
    """How many of `most` one client may have."""
    return max(1, most * 3 // 4)
