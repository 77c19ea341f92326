"""What is old is done again for who asks, once for all of them, and nobody waits long."""

from __future__ import annotations

import threading

from reconciler.serving.revalidation import Revalidation
from tests.lab.waiting import until


def test_who_asks_first_gets_the_new_and_who_asks_at_once_again_the_same() -> None:
    done: list[int] = []
    refreshes = Revalidation(age_s=1000, patience_s=60)
    assert refreshes.is_due("x")
    refreshes.ask({"x": lambda: done.append(1)})
    assert not refreshes.is_due("x")
    refreshes.ask({"x": lambda: done.append(2), "y": lambda: done.append(3)})
    assert done == [1, 3]


def test_what_is_old_is_done_again() -> None:
    done: list[int] = []
    refreshes = Revalidation(age_s=0, patience_s=60)

    def again() -> bool:
        refreshes.ask({"x": lambda: done.append(1)})
        return len(done) > 2

    until(again, 60, "it is done again and again")


def test_what_hangs_is_waited_for_by_one_and_only_for_a_moment() -> None:
    silent, begun = threading.Event(), []

    def hang() -> None:
        begun.append(1)
        assert silent.wait(120)

    refreshes = Revalidation(age_s=0, patience_s=0.01)
    for _ in range(100):
        refreshes.ask({"x": hang})
    assert begun == [1]
    assert not refreshes.is_due("x")
    silent.set()


def test_what_fails_is_tried_again() -> None:
    done: list[int] = []

    def fail() -> None:
        done.append(1)
        raise ValueError

    refreshes = Revalidation(age_s=0, patience_s=60)

    def again() -> bool:
        refreshes.ask({"x": fail})
        return len(done) > 1

    until(again, 60, "it is tried again")
