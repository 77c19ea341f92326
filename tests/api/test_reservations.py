"""Room that is reserved: nobody gets what somebody else is going to fill."""

from __future__ import annotations

import random
import threading

import pytest

from reconciler.errors import Refused
from reconciler.serving.reservations import Reservations


def test_what_is_reserved_and_not_there_yet_is_nobody_elses() -> None:
    room, disk = Reservations(), {"free": 100}
    first = room.reserve("pool", 60, lambda: disk["free"], "The pool")
    with pytest.raises(Refused, match="The pool has room for 40 bytes more") as refused:
        room.reserve("pool", 41, lambda: disk["free"], "The pool")
    assert refused.value.reason == "NoRoom"
    room.reserve("other", 41, lambda: disk["free"], "The other").close()
    disk["free"] -= 50
    first.came(50)
    assert room.left("pool", lambda: disk["free"]) == 40
    first.close()
    assert room.left("pool", lambda: disk["free"]) == 50


def test_more_than_was_reserved_asks_again() -> None:
    room = Reservations()
    reservation = room.reserve("disk", 10, lambda: 15, "The disk")
    reservation.came(14)
    with pytest.raises(Refused):
        reservation.came(16)
    reservation.close()
    reservation.close()
    assert room.left("disk", lambda: 15) == 15


def test_where_nobody_knows_the_room_everything_is_reserved() -> None:
    reservation = Reservations().reserve("disk", 1 << 60, lambda: None, "The disk")
    reservation.came(1 << 61)


def test_what_many_reserve_at_once_is_never_more_than_there_is() -> None:
    room, size, lock = Reservations(), 1000, threading.Lock()
    used = [0]

    def send(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(50):
            length = chance.randrange(1, 300)
            try:
                reservation = room.reserve("disk", length, lambda: size - used[0], "The disk")
            except Refused:
                continue
            with lock:
                used[0] += length
                assert used[0] <= size
            reservation.came(length)
            with lock:
                used[0] -= length
            reservation.close()

    threads = [threading.Thread(target=send, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert used == [0]
    assert room.left("disk", lambda: size) == size
