"""`kill -9` of onggi at the boundaries in the second half of each chapter of a life, on QEMU with real disks."""

from __future__ import annotations

import pytest

from tests.crash.lives import Lives, kill_at_random_times, kill_everywhere

LIVES = 42  # in two modules, so that two workers share the load


@pytest.mark.timeout(900)
def test_a_kill_at_a_boundary_in_the_second_half_is_made_good_by_the_next_start(qemu_lives: Lives) -> None:
    before = qemu_lives.kills
    kill_everywhere(qemu_lives, range(LIVES // 2, LIVES), LIVES)
    assert qemu_lives.kills - before >= 100


@pytest.mark.timeout(900)
def test_a_kill_at_any_moment_is_made_good_by_the_next_start(qemu_lives: Lives) -> None:
    kill_at_random_times(qemu_lives, 20260117, 20)
