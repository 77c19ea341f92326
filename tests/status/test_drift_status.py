"""What an object's conditions say of drift that onggi is to put back."""

from __future__ import annotations

from dataclasses import replace

from reconciler.desired.state import DesiredState
from reconciler.observed.snapshot import Snapshot
from reconciler.planning.plan import Action, Plan
from reconciler.planning.vanished import MISSING
from reconciler.status.condition import Condition
from reconciler.status.drift import Drift, DriftedField, DriftKind
from reconciler.status.one_pass import Pass
from reconciler.status.outcome import Result, StepOutcome, last_of_each
from reconciler.status.retries import Flapping
from reconciler.status.status import conditions
from specs.host import Host
from tests.planning.values import REVISION, resource, step, vm

WEB = vm("web")
HEALING = replace(step(WEB, action=Action.UPDATE), drift=True)
DRIFTS = (Drift(WEB, DriftKind.CHANGED, "enforce", (DriftedField("/title", "ours", "theirs"),)),)


def told(plan: Plan, *outcomes: StepOutcome, flapping: Flapping | None = None) -> dict[str, Condition]:
    desired = DesiredState(REVISION, "r", {WEB: resource(WEB)})
    snapshot = Snapshot(1, Host(), {})
    fought = {WEB: flapping} if flapping is not None else {}
    found = conditions(Pass(desired, snapshot, plan, outcomes=last_of_each(outcomes), flapping=fought), DRIFTS)
    return {item.type: item for item in found[WEB]}


def test_drift_is_told_until_the_step_that_heals_it_has_succeeded() -> None:
    plan = Plan("r", (HEALING,))
    assert told(plan)["Drifted"].message == "/title theirs → ours; it is to be put back"
    failed = told(plan, StepOutcome(HEALING, Result.FAILED, "no room"))
    assert (failed["Drifted"].status, failed["Ready"].reason) == (True, "Failed")
    assert set(told(plan, StepOutcome(HEALING, Result.CONFIGURED))) == {"Ready"}


def test_a_fight_is_stalled_and_ready_only_while_the_host_is_as_declared() -> None:
    fight = Flapping("/title", 6)
    lost = told(Plan("r", (HEALING,)), flapping=fight)
    assert (lost["Ready"].status, lost["Ready"].reason, lost["Stalled"].reason) == (False, "Flapping", "Flapping")
    assert "/title" in lost["Stalled"].message
    won = told(Plan("r", (HEALING,)), StepOutcome(HEALING, Result.CONFIGURED), flapping=fight)
    assert (won["Ready"].status, won["Stalled"].reason) == (True, "Flapping")


def test_an_object_that_warn_leaves_missing_is_not_ready() -> None:
    desired = DesiredState(REVISION, "r", {WEB: resource(WEB)})
    found = conditions(Pass(desired, Snapshot(1, Host(), {}), Plan("r", drifted=((WEB, MISSING),))))[WEB]
    assert [(item.type, item.status, item.reason) for item in found] == [
        ("Ready", False, "Missing"),
        ("Drifted", True, "NotHealed"),
    ]
