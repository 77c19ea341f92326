"""`kill -9` of libvirtd at twenty points of an agent's work: it waits, connects again, and ends where it should."""

from __future__ import annotations

import threading

import libvirt
import pytest

from tests.crash.life import CHAPTERS
from tests.crash.lives import Lives, spread
from tests.hostile.private_libvirtd import PrivateLibvirtd

LIVES = 4  # each with a kill in each of the five chapters


@pytest.mark.timeout(900)
@pytest.mark.parametrize("life", range(LIVES))
def test_an_agent_gets_there_although_libvirtd_dies_at_its_work(
    qemu_lives: Lives, libvirtd: PrivateLibvirtd, life: int
) -> None:
    lives, deaths = qemu_lives, 0
    for place, name in enumerate(CHAPTERS):
        before = lives.history(place)
        at = spread(lives.boundaries[place] * 4 // 5, LIVES, life)  # an agent passes fewer of them than an apply
        what = f"{name}, libvirtd killed at boundary {at}"
        again = threading.Thread(target=_start_again, args=(libvirtd,))
        again.start()
        told = lives.run(name, at=at, victim=libvirtd.process_id, agent=True)
        assert told.happened, what
        assert told.succeeded, (what, told)
        again.join()
        deaths += 1
        lives.connection = libvirt.open(lives.connect)
        lives.write(place)
        lives.check(place, before, what)
    assert deaths == len(CHAPTERS)


def _start_again(libvirtd: PrivateLibvirtd) -> None:
    libvirtd.wait_for_its_end(120)
    libvirtd.start()
