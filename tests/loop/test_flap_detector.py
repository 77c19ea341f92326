"""Healing is patient with accidents, and gives way when the same change comes back at once, over and over."""

from __future__ import annotations

from dataclasses import replace

from reconciler.loop.flap_detector import FlapDetector
from reconciler.planning.ownership import Owned
from reconciler.planning.plan import Action, Step
from reconciler.status.retries import Flapping
from specs.effect import Change, Effect
from tests.planning.values import step, vm


def memory(mib: int) -> Step:
    return replace(step(vm("web"), action=Action.UPDATE), changes=(Change("/memory", 1, mib, Effect.LIVE),))


def test_the_same_change_at_once_again_and_again_is_noticed() -> None:
    flaps = FlapDetector()
    assert [flaps.count(memory(2), float(second)) for second in range(6)] == [
        *[None] * 4,
        Flapping("/memory", 5),
        Flapping("/memory", 6),
    ]
    assert flaps.flapping(7.0) == {vm("web"): Flapping("/memory", 6)}


def test_different_changes_are_ordinary_work() -> None:
    flaps = FlapDetector()
    assert not any(flaps.count(memory(mib), 0.0) for mib in range(50))


def test_a_change_that_comes_back_after_a_rest_is_a_new_one() -> None:
    flaps = FlapDetector()
    assert not any(flaps.count(memory(2), second * 600.0) for second in range(50))


def test_two_fields_that_are_undone_by_turns_are_noticed_each() -> None:
    flaps = FlapDetector()
    title = replace(memory(2), changes=(Change("/title", "theirs", "ours", Effect.LIVE),))
    counts = [flaps.count(each, 0.0) for _ in range(5) for each in (memory(2), title)]
    assert counts == [*[None] * 8, Flapping("/memory", 5), Flapping("/title", 5)]


def test_another_field_of_an_object_that_flaps_is_healed_as_ever() -> None:
    flaps = FlapDetector()
    for _ in range(9):
        flaps.count(memory(2), 0.0)
    assert flaps.count(replace(memory(2), changes=(Change("/title", "a", "b", Effect.LIVE),)), 0.0) is None


def test_a_new_revision_of_the_document_starts_anew() -> None:
    flaps = FlapDetector()
    for _ in range(9):
        flaps.count(memory(2), 0.0)
    edited = replace(memory(2), owned=Owned(vm("web"), "", facts={"digest": "another"}))
    assert flaps.count(edited, 0.0) is None
    assert flaps.flapping(0.0) == {}


def test_what_has_rested_for_a_while_flaps_no_more() -> None:
    flaps = FlapDetector()
    for _ in range(5):
        flaps.count(memory(2), 0.0)
    assert vm("web") in flaps.flapping(150.0)
    assert flaps.flapping(151.0) == {}


def test_the_message_names_the_field_and_what_can_be_done() -> None:
    message = Flapping("/title", 7).message
    assert "/title" in message
    assert "7 times" in message
    assert "is another tool changing it?" in message
