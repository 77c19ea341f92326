"""How long an object that failed is left alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from reconciler.loop.backoff import FIRST_S, FIRST_TERMINAL_S, LONGEST_S, Backoff
from tests.applying.world import network

LAN, WAN = network("tf-lan"), network("tf-wan")
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def backoff(clock: Clock, random: float = 0.0) -> Backoff:
    return Backoff(clock=clock, now=lambda: NOON, random=lambda: random)


def waits(found: Backoff, clock: Clock) -> float:
    seconds = found.next_due()
    assert seconds is not None
    assert not found.due(LAN)
    clock.now += seconds
    assert found.due(LAN)
    return seconds


def test_waits_double_up_to_five_minutes() -> None:
    clock = Clock()
    found = backoff(clock)
    seconds = []
    for _ in range(11):
        found.failed(LAN, retry_after_s=1.0)
        seconds.append(waits(found, clock))
    assert seconds == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_what_will_not_go_away_by_itself_is_tried_again_later() -> None:
    clock = Clock()
    found = backoff(clock)
    seconds = []
    for _ in range(5):
        found.failed(LAN)
        seconds.append(waits(found, clock))
    assert seconds == [30, 60, 120, 240, 300]


def test_a_longer_hint_is_heeded() -> None:
    clock = Clock()
    found = backoff(clock)
    found.failed(LAN, retry_after_s=20.0)
    assert waits(found, clock) == 20


def test_success_forgets_the_failures() -> None:
    found = backoff(Clock())
    for _ in range(5):
        found.failed(LAN, retry_after_s=1.0)
    found.succeeded(LAN)
    assert found.due(LAN)
    assert found.retry(LAN) is None
    found.failed(LAN, retry_after_s=1.0)
    assert found.next_due() == 1


def test_a_new_document_is_tried_at_once_and_fails_from_the_beginning() -> None:
    found = backoff(Clock())
    for _ in range(5):
        found.failed(LAN, "old", 1.0)
    assert not found.due(LAN, "old")
    assert found.due(LAN, "new")
    found.failed(LAN, "new", 1.0)
    assert found.next_due() == 1


def test_the_next_retry_is_the_earliest_of_all() -> None:
    clock = Clock()
    found = backoff(clock)
    assert found.next_due() is None
    found.failed(LAN)
    found.failed(WAN, retry_after_s=1.0)
    assert found.next_due() == 1


def test_what_is_due_and_that_nobody_tries_wakes_once() -> None:
    clock = Clock()
    found = backoff(clock)
    found.failed(LAN, retry_after_s=1.0)
    clock.now += 5
    assert found.next_due() == 0
    assert found.next_due() is None
    found.failed(LAN, retry_after_s=1.0)
    assert found.next_due() == 2


def test_a_retry_says_when_it_is_and_what_was_before() -> None:
    found = backoff(Clock())
    found.failed(LAN, retry_after_s=1.0)
    found.failed(LAN)
    retry = found.retry(LAN)
    assert retry is not None
    assert (retry.failures, retry.at, retry.terminal) == (2, NOON + timedelta(seconds=60), True)


@given(
    failures=st.lists(st.none() | st.floats(0, 1e6), min_size=1, max_size=2000),
    random=st.floats(0, 1, exclude_max=True),
)
def test_a_wait_is_never_shorter_than_three_quarters_of_the_first_nor_longer_than_the_longest(
    failures: list[float | None], random: float
) -> None:
    found = backoff(Clock(), random)
    for retry_after_s in failures:
        found.failed(LAN, retry_after_s=retry_after_s)
    seconds = found.next_due()
    assert seconds is not None
    first = FIRST_TERMINAL_S if failures[-1] is None else FIRST_S
    assert 0.75 * first - 1e-6 <= seconds <= LONGEST_S


def test_a_failure_goes_with_its_document_though_that_should_come_back() -> None:
    found = backoff(Clock())
    for ref, digest in ((LAN, "a restarted for x"), (WAN, "")):
        found.failed(ref, digest)
    found.forget_others({LAN: "a", WAN: ""}.__getitem__)
    assert (found.due(LAN, "a restarted for x"), found.due(WAN, "")) == (False, False)
    found.forget_others({LAN: "b", WAN: "c"}.__getitem__)
    assert (found.due(LAN, "a restarted for x"), found.due(WAN, "")) == (True, True)
    found.failed(LAN, "a")
    found.forget_others({LAN: ""}.__getitem__)  # the document is gone
    assert found.due(LAN, "a")
