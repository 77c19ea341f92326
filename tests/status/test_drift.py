"""What counts as drift, by values alone: what was asked for anew, or was applied and waits, doesn't."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.desired.state import DesiredState, Policy, Resource
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.ownership import Owned
from reconciler.planning.plan import Action, Blocked, Plan, Step
from reconciler.planning.vanished import MISSING
from reconciler.status.drift import Drift, DriftedField, DriftKind, deviations, drift, still_different, unjudged
from reconciler.status.one_pass import Pass
from specs.effect import Change, Effect
from specs.host import Host
from specs.reference import STORAGE_POOL, Ref
from tests.planning.values import REVISION, vm

WEB = vm("web")
NOTHING = Snapshot(1, Host(), {})
LIVE = Effect.LIVE


def xml(title: str = "ours", cpus: int = 1) -> str:
    return (
        f"<domain type='kvm'><name>web</name><title>{title}</title><memory>65536</memory>"
        f"<vcpu>{cpus}</vcpu><os><type>hvm</type></os></domain>"
    )


def resource(policy: Policy | None = None, ref: Ref = WEB, **spec: Any) -> Resource:
    return Resource(ref, "u", spec, "web.yaml", 3, policy=policy or Policy(), digest="d1")


def found(
    plan: Plan, declared: Resource, *, config: str = "", live: str | None = None, applied: str = "d1"
) -> tuple[Drift, ...]:
    desired = DesiredState(REVISION, "r", {declared.ref: declared})
    seen = Observed(declared.ref, "u", config, live, "running" if live else "shutoff")
    snapshot = Snapshot(1, Host(), {declared.ref: seen} if config else {})
    owned = {declared.ref: Owned(declared.ref, "u", facts={"digest": applied})}
    return drift(Pass(desired, snapshot, plan, owned=owned))


def step(*changes: Change, action: Action = Action.UPDATE, is_drift: bool = True) -> Step:
    return Step(WEB, action, "because", LIVE, (), changes, drift=is_drift)


TITLE = Change("/title", "theirs", "ours", LIVE)


@pytest.mark.parametrize(
    ("config", "live", "where", "value"),
    [
        (xml("theirs"), None, "config", "theirs"),
        (xml("theirs"), xml("ours"), "config", "theirs"),
        (xml("ours"), xml("theirs"), "live", "theirs"),
        (xml("theirs"), xml("others"), "both", "theirs"),
    ],
    ids=["stopped", "definition_only", "running_only", "both"],
)
def test_the_three_sources_stand_side_by_side(config: str, live: str | None, where: str, value: str) -> None:
    [item] = found(Plan("r", (step(TITLE),)), resource(title="ours"), config=config, live=live)
    [field] = item.fields
    assert (item.kind, item.policy, item.path, item.line) == (DriftKind.CHANGED, "enforce", "web.yaml", 3)
    assert (field.field, field.declared, field.found, field.where) == ("/title", "ours", value, where)
    assert item.active is (live is not None)


def test_a_new_revision_and_a_new_object_are_none() -> None:
    assert found(Plan("r", (step(TITLE, is_drift=False),)), resource(title="ours"), config=xml("theirs")) == ()
    assert found(Plan("r", (step(action=Action.CREATE),)), resource(), applied="an earlier one") == ()


def test_what_was_applied_and_only_now_can_come_true_is_none() -> None:
    waited = Change("/cpus", 2, 1, Effect.NEXT_BOOT)
    plan = Plan("r", (step(waited, action=Action.REPLACE),))
    assert found(plan, resource(cpus=1), config=xml(), live=xml(cpus=2)) == ()


def test_power_stands_apart_from_the_definition() -> None:
    power = Change("/runStrategy", "shutoff", "running", LIVE)
    changed, off = found(Plan("r", (step(TITLE, power),)), resource(title="ours"), config=xml("theirs"))
    assert (changed.kind, off.kind) == (DriftKind.CHANGED, DriftKind.POWER)
    assert off.fields == (DriftedField("/runStrategy", "running", "shutoff"),)


def test_an_object_that_is_gone_is_missing_whether_it_is_made_again_or_not() -> None:
    assert [item.kind for item in found(Plan("r", (step(action=Action.CREATE),)), resource())] == [DriftKind.MISSING]
    told = found(Plan("r", drifted=((WEB, MISSING),)), resource(Policy(drift="warn")))
    assert [(item.kind, item.policy) for item in told] == [(DriftKind.MISSING, "warn")]


def test_a_change_by_hand_that_cannot_be_put_back_is_told_nevertheless() -> None:
    disk = resource(ref=Ref.volume("pool", "disk.raw"), pool="pool", capacity=1 << 20)
    grown = "<volume><name>disk.raw</name><capacity>4194304</capacity><target><format type='raw'/></target></volume>"
    plan = Plan("r", blocked=(Blocked(disk.ref, "ShrinkRefused", "no"),))
    [item] = found(plan, disk, config=grown)
    assert [(each.field, each.declared, each.found) for each in item.fields] == [("/capacity", 1 << 20, 4 << 20)]
    assert found(plan, disk, config=grown, applied="an earlier one") == ()


def test_what_is_gone_and_may_not_be_made_again_is_told_nevertheless() -> None:
    pool = resource(ref=Ref(STORAGE_POOL, "elsewhere"), type="dir", path="/home/pool")
    plan = Plan("r", blocked=(Blocked(pool.ref, "NotAllowed", "no pool may be made there"),))
    assert [(item.kind, item.policy) for item in found(plan, pool)] == [(DriftKind.MISSING, "hold")]
    assert found(plan, pool, applied="an earlier one") == ()
    assert found(plan, pool, config="<pool><name>elsewhere</name></pool>") == ()
    assert found(plan, replace(pool, policy=Policy(drift="ignore"))) == ()

    unseen = resource(ref=Ref.volume("elsewhere", "disk.raw"), pool="elsewhere")
    away = Plan("r", blocked=(Blocked(unseen.ref, "DependencyNotReady", "its pool is off"),))
    assert found(away, unseen) == ()  # nobody knows


def test_ignore_reports_nothing_and_extras_are_last_and_no_deviations() -> None:
    plan = Plan("r", (step(TITLE),), extras=((WEB, ("/interfaces/52:54:00:00:00:01",)),))
    changed, extra = found(plan, resource(title="ours"), config=xml("theirs"))
    assert (changed.kind, extra.kind) == (DriftKind.CHANGED, DriftKind.EXTRA)
    assert deviations((changed, extra)) == [changed]
    assert found(plan, resource(Policy(drift="ignore"), title="ours"), config=xml("theirs")) == ()


def test_a_document_that_cannot_be_rendered_now_is_told_by_the_plans_own_values() -> None:
    needs = resource(title="ours", disks=[{"name": "a", "volume": "nowhere/a.qcow2"}])
    [item] = found(Plan("r", (step(TITLE),)), needs, config=xml("theirs"))
    assert item.fields == (DriftedField("/title", "ours", "theirs"),)


def test_what_is_still_to_change_and_what_was_not_judged() -> None:
    plan = Plan("r", (step(TITLE, is_drift=False), replace(step(action=Action.CREATE), ref=vm("new"))))
    assert still_different(plan) == {(WEB, "/title"), (vm("new"), "/")}
    held = DesiredState(REVISION, "r", {WEB: resource()}, held=frozenset({vm("broken")}))
    unknown = unjudged(Pass(held, NOTHING, Plan("r", blocked=(Blocked(WEB, "InUse", "busy"),))))
    assert (unknown(WEB), unknown(vm("broken")), unknown(vm("gone"))) == (True, True, False)
    assert unjudged(Pass(held, NOTHING, Plan("r"), busy=frozenset({WEB})))(WEB)
