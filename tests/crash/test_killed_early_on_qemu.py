"""`kill -9` of onggi at the boundaries in the first half of each chapter of a life, on QEMU with real disks."""

from __future__ import annotations

import pytest

from tests.crash.lives import Lives, kill_everywhere

LIVES = 42  # in two modules, so that two workers share the load


@pytest.mark.timeout(900)
def test_a_kill_at_a_boundary_in_the_first_half_is_made_good_by_the_next_start(qemu_lives: Lives) -> None:
    before = qemu_lives.kills
    kill_everywhere(qemu_lives, range(LIVES // 2), LIVES)
    assert qemu_lives.kills - before >= 100


@pytest.mark.timeout(900)
def test_an_agent_that_is_killed_goes_on_when_it_is_started_again(qemu_lives: Lives) -> None:
    kill_everywhere(qemu_lives, range(4), 4, agent=True)
