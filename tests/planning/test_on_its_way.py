"""Memory that a guest was told to give back and has yet to give is no drift: nobody changed it on the host."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.desired.state import DesiredState, Policy, Resource
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.operations import EditLive
from reconciler.planning.ownership import Owned
from reconciler.planning.plan import Plan
from reconciler.planning.plan_options import PlanOptions, RefusedEdit
from reconciler.planning.planner import Planner
from reconciler.status.drift import drift
from reconciler.status.one_pass import Pass
from specs.host import Host
from tests.planning.values import REPOSITORY, REVISION, vm

WEB, UID = vm("web"), "3f0c8c1e-52f4-4b0a-9c3e-d1d1a2b3c4d5"
TOLD = {(EditLive(WEB, "memory", "65536"), "1"): RefusedEdit("the guest was told", until_boot=False)}


def xml(title: str, current_mib: int, run: str = "") -> str:
    return (
        f"<domain type='qemu'{run}><name>web</name><uuid>{UID}</uuid><title>{title}</title><memory>524288</memory>"
        f"<currentMemory>{current_mib * 1024}</currentMemory><vcpu>1</vcpu><os><type>hvm</type></os></domain>"
    )


def planned(policy: str, title: str, held: dict[Any, RefusedEdit]) -> tuple[Plan, set[str]]:
    """The plan, and the fields that count as drift."""
    spec = {"memory": 64, "title": "ours", "runStrategy": "Always"}
    web = Resource(WEB, UID, spec, "web.yaml", 1, Policy(drift=policy), digest="d1")
    desired = DesiredState(REVISION, REPOSITORY, {WEB: web})
    seen = Observed(WEB, UID, xml(title, 64), xml(title, 512, " id='1'"), "running")
    snapshot = Snapshot(1, Host(), {WEB: seen})
    owned = {WEB: Owned(WEB, UID, facts={"digest": "d1", "runStrategy": "Always"})}
    plan = Planner().plan(desired, snapshot, owned, options=PlanOptions(refused_edits=held))
    found = drift(Pass(desired, snapshot, plan, owned=owned))
    return plan, {each.field for item in found for each in item.fields}


@pytest.mark.parametrize("policy", ["enforce", "warn"])
def test_what_a_guest_has_yet_to_follow_waits_and_is_no_drift(policy: str) -> None:
    plan, drifted = planned(policy, "theirs", TOLD)
    assert "/title" in drifted
    assert "/memory" not in drifted
    assert [change.pointer for waits in plan.waiting for change in waits.changes] == ["/memory"]
    assert "/memory" not in {change.pointer for step in plan.steps for change in step.changes}


def test_what_it_was_never_told_was_changed_by_hand() -> None:
    assert "/memory" in planned("enforce", "ours", {})[1]
