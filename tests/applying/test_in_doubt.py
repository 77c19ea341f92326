"""What nobody saw the end of is told by what is on the host, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.applying.in_doubt import outcomes
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.records import InDoubt
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.operations import Undefine
from reconciler.planning.plan import Action, Plan, Step
from reconciler.status.outcome import Result, StepOutcome
from specs.effect import Effect
from specs.host import Host
from specs.reference import Ref

WEB = Ref("VirtualMachine", "web")
THEN, NOW = "main@sha1:1111", "main@sha1:2222"


def step(action: Action) -> Step:
    return Step(WEB, action, "because", Effect.LIVE, (Undefine(WEB, "uid"),))


@pytest.mark.parametrize(
    ("action", "present", "planned", "revision", "result"),
    [
        (Action.CREATE, True, False, THEN, Result.CREATED),
        (Action.CREATE, True, True, NOW, Result.CREATED),
        (Action.CREATE, False, True, THEN, None),
        (Action.CREATE, False, False, NOW, Result.SKIPPED),
        (Action.DELETE, False, False, NOW, Result.DELETED),
        (Action.DELETE, True, True, THEN, None),
        (Action.DELETE, True, False, NOW, Result.SKIPPED),
        (Action.UPDATE, True, False, THEN, Result.CONFIGURED),
        (Action.UPDATE, True, True, THEN, None),
        (Action.UPDATE, True, True, NOW, None),
        (Action.UPDATE, True, False, NOW, Result.SKIPPED),
        (Action.UPDATE, False, False, THEN, Result.SKIPPED),
    ],
)
def test_the_host_tells_what_came_of_it(
    action: Action, present: bool, planned: bool, revision: str, result: Result | None
) -> None:
    snapshot = Snapshot(1, Host(), {WEB: Observed(WEB, "", "")} if present else {})
    plan = Plan(revision, (step(Action.UPDATE),) if planned else ())
    told = outcomes([InDoubt(step(action), THEN)], plan, snapshot).get(THEN, [])
    assert [one.result for one in told] == ([result] if result is not None else [])
    assert [bool(one.message) for one in told] == ([result is Result.SKIPPED] if result is not None else [])


def test_a_begun_step_is_cut_off_only_for_the_next_process(tmp_path: Path) -> None:
    with Ledger.open(tmp_path) as first:
        first.change(steps=[step(Action.CREATE)], note=THEN)
        assert first.history.in_doubt() == ()
        assert first.history.working() == {WEB}
    with Ledger.open(tmp_path) as second:
        (found,) = second.history.in_doubt()
        assert (found.step.ref, found.step.action, found.step.why, found.revision) == (WEB, "+", "because", THEN)
        second.history.record([StepOutcome(found.step, Result.CREATED)], found.revision)
        assert second.history.in_doubt() == ()
        assert [(event.result, event.ref, event.revision) for event in second.history.events()] == [
            ("created", WEB, THEN)
        ]


def test_a_step_that_ended_is_not_cut_off(tmp_path: Path) -> None:
    with Ledger.open(tmp_path) as first:
        first.change(steps=[step(Action.CREATE)], note=THEN)
        first.history.record([StepOutcome(step(Action.CREATE), Result.CREATED)], THEN)
        assert first.history.working() == frozenset()
    with Ledger.open(tmp_path) as second:
        assert second.history.in_doubt() == ()


def test_a_step_whose_connection_was_lost_stays_cut_off_after_its_failure_was_told(tmp_path: Path) -> None:
    with Ledger.open(tmp_path) as ledger:
        ledger.change(steps=[step(Action.CREATE)], note=THEN)
        ledger.history.lose([WEB])
        ledger.history.record([StepOutcome(step(Action.CREATE), Result.FAILED, "the connection was lost")], THEN)
        (found,) = ledger.history.in_doubt()
        ledger.history.record([StepOutcome(found.step, Result.CREATED)], THEN)
        assert ledger.history.in_doubt() == ()
        assert [event.result for event in ledger.history.events()] == ["failed", "created"]
