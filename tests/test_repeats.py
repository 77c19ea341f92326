"""Healing is patient with accidents, and gives way when the same change comes back at once, over and over."""

from __future__ import annotations

from dataclasses import replace

from reconciler.planning.plan import Step
from reconciler.repeats import Repeats
from specs.effect import Change, Effect
from tests.planning.values import step, vm


def memory(mib: int) -> Step:
    return replace(step(vm("web")), changes=(Change("/memory", 1, mib, Effect.LIVE),))


def test_the_same_change_at_once_again_and_again_is_noticed() -> None:
    repeats = Repeats()
    assert [repeats.goes_on(memory(2), float(second)) for second in range(6)] == [False] * 4 + [True] * 2


def test_different_changes_are_ordinary_work() -> None:
    repeats = Repeats()
    assert not any(repeats.goes_on(memory(mib), 0.0) for mib in range(50))


def test_a_change_that_comes_back_after_a_rest_is_a_new_one() -> None:
    repeats = Repeats()
    assert not any(repeats.goes_on(memory(2), second * 600.0) for second in range(50))
