"""`kill -9` of onggi at the boundaries of a life of thirty documents, on libvirt's test driver."""

from __future__ import annotations

from tests.crash.lives import Lives, kill_at_random_times, kill_everywhere


def test_a_kill_at_any_boundary_is_made_good_by_the_next_start(test_driver_lives: Lives) -> None:
    kill_everywhere(test_driver_lives, 60)
    assert test_driver_lives.kills >= 300


def test_a_kill_at_any_moment_is_made_good_by_the_next_start(test_driver_lives: Lives) -> None:
    kill_at_random_times(test_driver_lives, 20260117, 20)


def test_an_agent_that_is_killed_goes_on_when_it_is_started_again(test_driver_lives: Lives) -> None:
    kill_everywhere(test_driver_lives, 6, agent=True)
