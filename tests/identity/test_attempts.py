"""Guessing gets slower, and locks nobody else out."""

from __future__ import annotations

from reconciler.identity.attempts import Attempts
from tests.identity.test_sessions import Clock


def tries(attempts: Attempts, clock: Clock, user: str, peer: str, during_s: float) -> int:
    """How many wrong passwords somebody gets looked at who never stops."""
    count, end = 0, clock.now + during_s
    while clock.now < end:
        if attempts.wait_s(user, peer) == 0:
            attempts.failed(user, peer)
            count += 1
        clock.now += 0.25
    return count


def test_a_few_wrong_passwords_cost_nothing() -> None:
    attempts = Attempts(Clock())
    for _ in range(5):
        assert attempts.wait_s("kim", "a") == 0
        attempts.failed("kim", "a")
    assert 0 < attempts.wait_s("kim", "a") <= 1


def test_who_goes_on_guessing_gets_about_one_a_minute() -> None:
    clock = Clock()
    assert tries(Attempts(clock), clock, "kim", "a", 3600) < 75


def test_many_users_from_one_peer_are_as_slow_as_one() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    count = sum(tries(attempts, clock, f"user{number}", "a", 60) for number in range(60))
    assert count < 75


def test_one_user_from_many_peers_is_as_slow_as_from_one() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    count = sum(tries(attempts, clock, "kim", f"peer{number}", 60) for number in range(60))
    assert count < 75


def test_who_guesses_does_not_lock_the_user_out_where_that_user_comes_from() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    attempts.succeeded("kim", "desk")
    tries(attempts, clock, "kim", "elsewhere", 600)
    assert attempts.wait_s("kim", "elsewhere") > 0
    assert attempts.wait_s("kim", "desk") == 0


def test_another_peer_waits_for_nobody_else() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    tries(attempts, clock, "kim", "a", 600)
    assert attempts.wait_s("lee", "b") == 0


def test_what_was_long_ago_is_forgotten() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    tries(attempts, clock, "kim", "a", 600)
    clock.now += 16 * 60
    assert attempts.wait_s("kim", "a") == 0


def test_what_is_remembered_is_bounded() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for number in range(30_000):
        attempts.failed(f"user{number}", f"peer{number}")
        attempts.succeeded(f"other{number}", f"there{number}")
    assert len(attempts._failed) <= 10_000 and len(attempts._known) <= 10_000


def test_a_user_who_is_written_in_many_ways_is_one() -> None:
    attempts = Attempts(Clock())
    for name in ("kim", "KIM", "Kim ", "  kIM", "\uff4bim"):
        assert attempts.wait_s(name, name) == 0
        attempts.failed(name, name)
    assert attempts.wait_s("kiM", "elsewhere") > 0
    attempts.succeeded("Kim", "home")
    assert attempts.wait_s("kim", "elsewhere") == 0
