"""`kill -9` of onggi at the boundaries in the second half of each chapter of a life, on libvirt's test driver."""

from __future__ import annotations

import pytest

from tests.crash.lives import Lives, kill_at_random_times, kill_everywhere

LIVES = 60  # in two modules, so that two workers share the load


@pytest.mark.timeout(900)
def test_a_kill_at_a_boundary_in_the_second_half_is_made_good_by_the_next_start(test_driver_lives: Lives) -> None:
    before = test_driver_lives.kills
    kill_everywhere(test_driver_lives, range(LIVES // 2, LIVES), LIVES)
    assert test_driver_lives.kills - before >= 150


@pytest.mark.timeout(900)
def test_a_kill_at_any_moment_is_made_good_by_the_next_start(test_driver_lives: Lives) -> None:
    kill_at_random_times(test_driver_lives, 20260117, 20)
