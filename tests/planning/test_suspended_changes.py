"""What is told of a suspended object: what somebody changed, and nothing that a new revision asks for."""

from __future__ import annotations

from dataclasses import replace

from reconciler.planning.assessment import Assessment
from reconciler.planning.ownership import Owned
from reconciler.planning.plan import Action, Blocked
from reconciler.planning.suspended_changes import changed_meanwhile
from reconciler.planning.vanished import MISSING
from specs.effect import Change, Effect
from tests.planning.values import resource, step, vm

TITLE = Change("/title", "theirs", "ours", Effect.LIVE)
WEB = replace(resource(vm("web")), digest="d1")
APPLIED = Owned(vm("web"), "u", facts={"digest": "d1"})
CHANGED = Assessment(step=replace(step(vm("web"), action=Action.UPDATE), changes=(TITLE,), drift=True))


def test_a_change_by_hand_is_told_and_an_edit_of_the_document_is_not() -> None:
    assert changed_meanwhile(CHANGED, WEB, APPLIED) == (TITLE,)
    assert changed_meanwhile(CHANGED, replace(WEB, digest="d2"), APPLIED) == ()
    assert changed_meanwhile(CHANGED, WEB, None) == ()


def test_an_object_that_is_gone_is_told_as_a_whole() -> None:
    assert changed_meanwhile(Assessment(step=step(vm("web"))), WEB, APPLIED) == MISSING
    lost = Assessment(blocked=Blocked(vm("web"), "DataLost", "it was there"))
    assert changed_meanwhile(lost, replace(WEB, digest="d2"), APPLIED) == MISSING


def test_what_is_only_told_anyway_is_told_here_too_and_nothing_else() -> None:
    assert changed_meanwhile(Assessment(drifted=(TITLE,)), WEB, APPLIED) == (TITLE,)
    assert changed_meanwhile(Assessment(waiting=(TITLE,)), WEB, APPLIED) == ()
