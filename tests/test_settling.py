"""A repair waits until a change by hand has come to rest, and no longer."""

from __future__ import annotations

from dataclasses import replace

from reconciler.planning.plan import Action, Step
from reconciler.settling import REST_S, Settling
from specs.effect import Change, Effect
from tests.planning.values import network, step, vm

NOTHING: frozenset[object] = frozenset()
WEB = frozenset({vm("web")})


def drifted(found: object = "theirs", pointer: str = "/title") -> Step:
    change = Change(pointer, found, "ours", Effect.LIVE)
    return replace(step(vm("web"), action=Action.UPDATE), changes=(change,), drift=True)


def test_what_was_changed_by_hand_is_looked_at_once_more_after_a_rest_and_then_repaired() -> None:
    settling = Settling()
    assert settling.held([drifted()], 0.0) == (WEB, NOTHING)
    assert settling.next_due_s(0.1) == REST_S - 0.1
    assert settling.held([drifted()], REST_S) == (WEB, WEB)
    assert settling.next_due_s(REST_S) is None
    assert settling.held([drifted()], REST_S) == (NOTHING, NOTHING)


def test_a_change_that_goes_on_is_waited_for_but_not_for_ever() -> None:
    settling = Settling()
    held = [bool(settling.held([drifted(number)], number / 10)[0]) for number in range(60)]
    assert held[:30] == [True] * 30
    assert not all(held)


def test_what_a_commit_asks_for_never_waits() -> None:
    assert Settling().held([replace(drifted(), drift=False)], 0.0) == (NOTHING, NOTHING)


def test_a_change_that_was_taken_back_leaves_no_trace() -> None:
    settling = Settling()
    settling.held([drifted()], 0.0)
    settling.held([], 0.1)
    assert settling.next_due_s(0.1) is None
    assert settling.held([drifted()], 60.0) == (WEB, NOTHING)


def test_after_a_repair_the_next_change_rests_by_itself() -> None:
    settling = Settling()
    for moment in (0.0, REST_S, REST_S):
        settling.held([drifted()], moment)
    settling.done(vm("web"))
    assert settling.held([drifted()], REST_S) == (WEB, NOTHING)


def test_the_machines_that_a_network_seems_to_have_lost_are_looked_at_too() -> None:
    lost = replace(drifted("cut off", "/guests/web"), ref=network("lan"))
    settling = Settling()
    settling.held([lost], 0.0)
    assert settling.held([lost], REST_S)[1] == {network("lan"), vm("web")}
