"""A repair waits until a change by hand has come to rest, and no longer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.loop.debounce import REST_S, Debounce
from reconciler.observed.snapshot import Observed
from reconciler.planning.operations import Define, EditLive, Operation, Start
from reconciler.planning.plan import Action, Step
from specs.effect import Change, Effect
from specs.reference import Ref
from tests.planning.values import network, step, vm

NOTHING: frozenset[object] = frozenset()
WEB = frozenset({vm("web")})
RUNNING = {vm("web"): Observed(vm("web"), "u", "<domain/>", state="running")}
OFF = {vm("web"): Observed(vm("web"), "u", "<domain/>", state="shutoff")}
DEFINE = Define(vm("web"), "u", "<domain/>")


def drifted(found: object = "theirs", pointer: str = "/title", *operations: Operation) -> Step:
    change = Change(pointer, found, "ours", Effect.LIVE)
    return replace(step(vm("web"), *(operations or (DEFINE,)), action=Action.UPDATE), changes=(change,), drift=True)


def test_what_was_changed_by_hand_is_looked_at_once_more_after_a_rest_and_then_repaired() -> None:
    debounce = Debounce()
    assert debounce.unsettled([drifted()], 0.0, RUNNING) == (WEB, NOTHING)
    assert debounce.next_due_s(0.1) == REST_S - 0.1
    assert debounce.unsettled([drifted()], REST_S, RUNNING) == (WEB, WEB)
    assert debounce.next_due_s(REST_S) is None
    assert debounce.unsettled([drifted()], REST_S, RUNNING) == (NOTHING, NOTHING)


def test_a_change_that_goes_on_is_waited_for_but_not_for_ever() -> None:
    debounce = Debounce()
    held = [bool(debounce.unsettled([drifted(number)], number / 10, RUNNING)[0]) for number in range(60)]
    assert held[:30] == [True] * 30
    assert not all(held)


def test_what_a_commit_asks_for_never_waits() -> None:
    assert Debounce().unsettled([replace(drifted(), drift=False)], 0.0, RUNNING) == (NOTHING, NOTHING)


def test_a_change_that_was_taken_back_leaves_no_trace() -> None:
    debounce = Debounce()
    debounce.unsettled([drifted()], 0.0, RUNNING)
    debounce.unsettled([], 0.1, RUNNING)
    assert debounce.next_due_s(0.1) is None
    assert debounce.unsettled([drifted()], 60.0, RUNNING) == (WEB, NOTHING)


def test_after_a_repair_the_next_change_rests_by_itself() -> None:
    debounce = Debounce()
    for moment in (0.0, REST_S, REST_S):
        debounce.unsettled([drifted()], moment, RUNNING)
    debounce.done(vm("web"))
    assert debounce.unsettled([drifted()], REST_S, RUNNING) == (WEB, NOTHING)


def test_the_machines_that_a_network_seems_to_have_lost_are_looked_at_too() -> None:
    lost = replace(drifted("cut off", "/guests/web"), ref=network("lan"))
    debounce = Debounce()
    debounce.unsettled([lost], 0.0, RUNNING)
    assert debounce.unsettled([lost], REST_S, RUNNING)[1] == {network("lan"), vm("web")}


def test_the_definition_of_a_machine_that_is_off_has_no_middle_and_is_put_right_at_once() -> None:
    assert Debounce().unsettled([drifted()], 0.0, OFF) == (NOTHING, NOTHING)


@pytest.mark.parametrize(
    ("step", "objects"),
    [
        (drifted(), RUNNING),
        (drifted(), {}),
        (drifted("theirs", "/title", DEFINE, EditLive(vm("web"), "title", "ours")), OFF),
        (drifted("off", "/runStrategy", Start(vm("web"))), OFF),
        (replace(drifted(), action=Action.CREATE), OFF),
        (replace(drifted(), ref=network("lan")), {network("lan"): Observed(network("lan"), "u", "", state="inactive")}),
    ],
    ids=["a machine that runs", "one that is gone", "a live edit", "a start", "a making", "a network"],
)
def test_everything_else_rests_first(step: Step, objects: dict[Ref, Observed]) -> None:
    assert Debounce().unsettled([step], 0.0, objects) == ({step.ref}, NOTHING)


def test_what_follows_closely_upon_a_repair_at_once_rests_and_after_quiet_it_doesnt() -> None:
    debounce = Debounce()
    for moment in (0.0, 0.1, 60.0):
        held = debounce.unsettled([drifted(moment)], moment, OFF)[0]
        assert held == (WEB if moment == 0.1 else NOTHING)
        debounce.done(vm("web"))
        debounce.unsettled([], moment + 0.01, OFF)
