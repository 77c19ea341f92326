"""Room that is promised to those who send something, so that all who send at once don't fill the same free bytes."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Hashable

from reconciler.errors import Refused

Free = Callable[[], int | None]


class Room:
    """The places that something is sent to, for any thread. A place is whatever has room: a pool, a folder."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._promised: Counter[Hashable] = Counter()  # bytes that are to come and aren't there yet

    def promise(self, place: Hashable, length: int, free: Free, what: str) -> Promise:
        """Room for `length` bytes. `free` tells what the place has now, None where nobody knows; `what` it is.

        Raises Refused (`NoRoom`).
        """
        promise = Promise(self, place, free, what)
        promise.grow(length)
        return promise

    def left(self, place: Hashable, free: Free) -> int | None:
        """What could be promised now."""
        with self._lock:
            now = free()
            return None if now is None else max(0, now - self._promised[place])

    def _take(self, promise: Promise, more: int) -> None:
        with self._lock:
            now = promise.free()
            left = None if now is None else max(0, now - self._promised[promise.place])
            if left is not None and more > left:
                raise Refused(
                    f"{promise.what} has room for {left} bytes more, with what others are sending, and {more} are "
                    "wanted; make room, or send it later.",
                    reason="NoRoom",
                )
            self._promised[promise.place] += more

    def _give_back(self, place: Hashable, length: int) -> None:
        with self._lock:
            self._promised[place] -= length
            if self._promised[place] <= 0:
                del self._promised[place]


class Promise:
    """Of one who sends. Whoever has it closes it; until then what didn't come yet stays promised."""

    def __init__(self, room: Room, place: Hashable, free: Free, what: str) -> None:
        self.place = place
        self.free = free
        self.what = what
        self._room = room
        self._open = 0

    def grow(self, length: int) -> None:
        """Be for `length` bytes more. Raises Refused (`NoRoom`)."""
        self._room._take(self, length)
        self._open += length

    def came(self, length: int) -> None:
        """So many bytes are there: they take room by themselves now. More than were promised need a larger promise."""
        if length > self._open:
            self.grow(length - self._open)
        self._open -= length
        self._room._give_back(self.place, length)

    def close(self) -> None:
        """Nothing comes any more."""
        self._room._give_back(self.place, self._open)
        self._open = 0
