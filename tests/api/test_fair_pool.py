"""Clients of a pool take turns, whoever came first and with however much."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError

import pytest

from api.http.fair_pool import FairPool
from tests.lab.waiting import until


def test_who_asks_for_little_waits_for_one_piece_of_who_asks_for_much() -> None:
    pool, may_go, done = FairPool(1, "test"), threading.Event(), list[str]()
    first = pool.submit("much", lambda: may_go.wait(60))
    rest = [pool.submit("much", lambda: done.append("much")) for _ in range(5)]
    little = [pool.submit(who, lambda who=who: done.append(who)) for who in ("one", "two", "one")]  # type: ignore[misc]
    may_go.set()
    for each in (first, *rest, *little):
        each.result(60)
    assert done == ["much", "one", "two", "much", "one", "much", "much", "much"]


def test_what_goes_wrong_is_for_whoever_asked() -> None:
    pool = FairPool(1, "test")
    with pytest.raises(ZeroDivisionError):
        pool.submit("one", lambda: 1 // 0).result(60)
    assert pool.submit("one", lambda: 1).result(60) == 1


def test_what_nobody_waits_for_any_more_is_left_out() -> None:
    pool, begun, may_go, done = FairPool(1, "test"), threading.Event(), threading.Event(), list[int]()

    def hold() -> None:
        begun.set()
        may_go.wait(60)

    first = pool.submit("one", hold)
    until(begun.is_set, 60, "it holds the thread")
    second = pool.submit("one", lambda: done.append(2))
    assert second.cancel()
    third = pool.submit("one", lambda: done.append(3))
    may_go.set()
    first.result(60)
    third.result(60)
    assert done == [3]
    with pytest.raises(CancelledError):
        second.result(60)
