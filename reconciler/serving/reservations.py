"""Room that is reserved for those who send something, so that all who send at once don't fill the same free bytes."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Hashable

from reconciler.errors import Refused

Free = Callable[[], int | None]


class Reservations:
    """The places that something is sent to, for any thread. A place is whatever has room: a pool, a folder."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reserved: Counter[Hashable] = Counter()  # bytes that are to come and aren't there yet

    def reserve(self, place: Hashable, length: int, free: Free, what: str) -> Reservation:
        """Room for `length` bytes. `free` tells what the place has now, None where nobody knows; `what` it is.

        Raises Refused (`NoRoom`).
        """
        reservation = Reservation(self, place, free, what)
        reservation.grow(length)
        return reservation

    def left(self, place: Hashable, free: Free) -> int | None:
        """What could be reserved now."""
        with self._lock:
            now = free()
            return None if now is None else max(0, now - self._reserved[place])

    def _take(self, reservation: Reservation, more: int) -> None:
        with self._lock:
            now = reservation.free()
            left = None if now is None else max(0, now - self._reserved[reservation.place])
            if left is not None and more > left:
                raise Refused(
                    f"{reservation.what} has room for {left} bytes more, with what others are sending, and {more} are "
                    "wanted; make room, or send it later.",
                    reason="NoRoom",
                )
            self._reserved[reservation.place] += more

    def _give_back(self, place: Hashable, length: int) -> None:
        with self._lock:
            self._reserved[place] -= length
            if self._reserved[place] <= 0:
                del self._reserved[place]


class Reservation:
    """Of one who sends. Whoever has it closes it; until then what didn't come yet stays reserved."""

    def __init__(self, room: Reservations, place: Hashable, free: Free, what: str) -> None:
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
        """So many bytes are there: they take room by themselves now. More than were reserved need more room."""
        if length > self._open:
            self.grow(length - self._open)
        self._open -= length
        self._room._give_back(self.place, length)

    def close(self) -> None:
        """Nothing comes any more."""
        self._room._give_back(self.place, self._open)
        self._open = 0
