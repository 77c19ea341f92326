"""`kill -9` of onggi at the boundaries of a life of thirty documents, on QEMU with real disks."""

from __future__ import annotations

from tests.crash.lives import Lives, kill_at_random_times, kill_everywhere


def test_a_kill_at_any_boundary_is_made_good_by_the_next_start(qemu_lives: Lives) -> None:
    kill_everywhere(qemu_lives, 42)
    assert qemu_lives.kills >= 200


def test_a_kill_at_any_moment_is_made_good_by_the_next_start(qemu_lives: Lives) -> None:
    kill_at_random_times(qemu_lives, 20260117, 20)


def test_an_agent_that_is_killed_goes_on_when_it_is_started_again(qemu_lives: Lives) -> None:
    kill_everywhere(qemu_lives, 4, agent=True)
