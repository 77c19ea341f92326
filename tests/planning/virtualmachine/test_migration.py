"""A machine that went to another host is remembered, and nothing here is done to it or its disks without a word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from reconciler.desired.state import DesiredState, Policy, Resource
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.last_seen import LastSeen
from reconciler.planning.operations import Define, Start
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Plan
from reconciler.planning.plan_options import PlanOptions
from reconciler.planning.planner import Planner
from specs.host import Feature, Host, VolumeSource
from specs.mark import Mark
from specs.reference import Ref
from tests.planning.values import REPOSITORY, REVISION, vm

WEB, POOL, DISK = vm("web"), Ref("StoragePool", "shared"), Ref.volume("shared", "web-root")
UID = "5a9d0a3b-6f8b-4d2b-8c7e-1f2a3b4c5d6e"
PATH = "/shared/web-root"
DOMAIN = (
    f"<domain type='test'><name>web</name><uuid>{UID}</uuid><memory unit='MiB'>64</memory><os><type>hvm</type></os>"
    f"<devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{PATH}'/>"
    "<target dev='vda' bus='virtio'/></disk></devices></domain>"
)
RAN = {Fact.LAST_RUN: "running", Fact.DIGEST: "m", Fact.RUN_STRATEGY: "Always"}


def machine(**spec: Any) -> Resource:
    disks = [{"name": "root", "volume": DISK.name}]
    return Resource(
        WEB, UID, {"runStrategy": "Always", "disks": disks, **spec}, "web.yaml", 1, depends_on=(DISK,), digest="m"
    )


def disk(size: str = "1GiB") -> Resource:
    spec = {"pool": "shared", "format": "qcow2", "capacity": size}
    return Resource(
        DISK, "", spec, "web.yaml", 1, policy=Policy(deletion="Delete"), depends_on=(POOL,), parent=WEB, digest="d"
    )


def entry(**facts: str) -> Owned:
    return Owned(WEB, UID, "web.yaml", facts={**RAN, **facts})


OWN_DISK = Owned(DISK, "", "web.yaml", deletion="Delete", parent=WEB, facts={Fact.DIGEST: "d"})


def off(reason: str) -> Observed:
    return Observed(WEB, UID, DOMAIN, None, "shutoff", reason, mark=Mark(REPOSITORY, "web"))


def shared() -> list[Observed]:
    xml = "<volume><name>web-root</name><capacity>1073741824</capacity><target><format type='qcow2'/></target></volume>"
    details = {"path": PATH, "type": "file", "format": "qcow2"}
    return [
        Observed(POOL, "p", "<pool type='netfs'><name>shared</name></pool>", state="active"),
        Observed(DISK, "", xml, state="active", details=details),
    ]


def plan(resources: Iterable[Resource], seen: Iterable[Observed], owned: Iterable[Owned], **options: Any) -> Plan:
    declared = {one.ref: one for one in resources}
    objects = {one.ref: one for one in seen}
    volumes = {DISK: VolumeSource(PATH, "file", "qcow2")} if DISK in objects else {}
    host = Host(features=frozenset(Feature), volumes=volumes, pool_paths={"shared": "/shared"})
    known = {one.ref: one for one in owned}
    last = {WEB: LastSeen(UID, DOMAIN)} if WEB in known else {}
    desired = DesiredState(REVISION, REPOSITORY, declared)
    return Planner().plan(
        desired, Snapshot(1, host, objects), known, options=PlanOptions(**options), last_seen=last.get
    )


def is_held(found: Plan) -> bool:
    return not found.steps and [item.reason for item in found.blocked if item.ref == WEB] == ["Migrated"]


def remembered(found: Plan) -> Owned:
    return next(record for record in found.records if record.ref == WEB)


def yes(found: Plan) -> frozenset[str]:
    return frozenset(item.digest for item in found.blocked if item.ref == WEB)


WENT = pytest.mark.parametrize(
    ("seen", "options"),
    [
        pytest.param([off("migrated")], {}, id="still defined here"),
        pytest.param([], {"migrated": frozenset({UID})}, id="undefined by the migration"),
    ],
)
STRATEGIES = pytest.mark.parametrize("strategy", ["Always", "RerunOnFailure", "Manual"])


@WENT
@STRATEGIES
def test_it_is_neither_started_nor_made_again_and_it_is_told(seen: list[Observed], options: Any, strategy: str) -> None:
    assert is_held(plan([machine(runStrategy=strategy), disk()], [*shared(), *seen], [entry(), OWN_DISK], **options))


# Both libvirtd and onggi forget what events and reasons told when they are restarted; the ledger doesn't.
@WENT
def test_it_is_remembered_across_restarts(seen: list[Observed], options: Any) -> None:
    first = plan([machine(), disk()], [*shared(), *seen], [entry(), OWN_DISK], **options)
    later = [replace(one, reason="unknown") for one in seen]
    again = plan([machine(), disk()], [*shared(), *later], [remembered(first), OWN_DISK])
    assert is_held(again)
    assert all(record.ref != WEB for record in again.records), "it is written anew with each pass"


def test_without_a_ledger_the_event_is_enough() -> None:
    assert is_held(plan([machine(), disk()], shared(), [], migrated=frozenset({UID})))


@WENT
def test_its_disks_are_not_touched(seen: list[Observed], options: Any) -> None:
    grown = replace(disk("2GiB"), digest="e")
    found = plan([machine(), grown], [*shared(), *seen], [entry(), OWN_DISK], **options)
    assert is_held(found)
    assert (DISK, "Migrated") in [(item.ref, item.reason) for item in found.blocked]


@WENT
def test_a_disk_that_it_took_along_is_neither_lost_nor_made_again(seen: list[Observed], options: Any) -> None:
    found = plan([machine(), disk()], [shared()[0], *seen], [entry(), OWN_DISK], **options)
    assert found.steps == ()
    assert {item.reason for item in found.blocked} == {"Migrated"}


@WENT
def test_with_its_document_gone_its_disks_stay_all_the_same(seen: list[Observed], options: Any) -> None:
    other = Resource(vm("db"), "v", {"memory": 64, "runStrategy": "Manual"}, "db.yaml", 1)
    found = plan([other], [*shared(), *seen], [entry(), OWN_DISK], **options)
    assert [step.ref for step in found.steps] == [vm("db")]
    assert WEB not in found.forgotten


def test_it_is_over_when_the_machine_is_seen_running_here() -> None:
    back = Observed(WEB, UID, DOMAIN, DOMAIN, "running", "migrated", mark=Mark(REPOSITORY, "web"))
    found = plan([machine(), disk()], [*shared(), back], [entry(**{Fact.LAST_RUN: "migrated"}), OWN_DISK])
    assert all(item.reason != "Migrated" for item in found.blocked)
    entries = [*found.records, *(step.owned for step in found.steps if step.owned is not None)]
    assert {one.facts[Fact.LAST_RUN] for one in entries if one.ref == WEB} == {"running"}


@WENT
@pytest.mark.parametrize("strategy", ["Always", "RerunOnFailure"])
def test_a_yes_has_it_here_again_once(seen: list[Observed], options: Any, strategy: str) -> None:
    resources = [machine(runStrategy=strategy), disk()]
    asked = plan(resources, [*shared(), *seen], [entry(), OWN_DISK], **options)
    known = [replace(remembered(asked), facts={**remembered(asked).facts, Fact.RUN_STRATEGY: strategy}), OWN_DISK]
    found = plan(resources, [*shared(), *seen], known, approved=yes(asked), **options)
    step = next(step for step in found.steps if step.ref == WEB)
    assert any(isinstance(each, Start) for each in step.operations)
    assert seen or any(isinstance(each, Define) for each in step.operations)
    assert step.owned is not None
    assert step.owned.facts[Fact.LAST_RUN] == "running"
    # It goes a second time.
    again = plan(resources, [*shared(), *seen], [step.owned, OWN_DISK], approved=yes(asked), **options)
    assert is_held(again)


def test_drift_policies_change_nothing_about_it() -> None:
    ignoring = replace(machine(), policy=Policy(drift="ignore"))
    assert is_held(plan([ignoring, disk()], [*shared(), off("migrated")], [entry(), OWN_DISK]))


# On its way in, a machine is transient and stands still: starting its CPUs would spoil its memory.
@pytest.mark.parametrize("reason", ["migration", "postcopy"])
def test_nothing_is_done_to_a_machine_whose_memory_is_just_being_moved(reason: str) -> None:
    moving = Observed(WEB, UID, DOMAIN, DOMAIN, "paused", reason, persistent=False, mark=Mark(REPOSITORY, "web"))
    found = plan([machine(paused=False), disk()], [*shared(), moving], [entry(), OWN_DISK])
    assert all(step.ref != WEB for step in found.steps)
    assert (WEB, "Migrating") in [(item.ref, item.reason) for item in found.blocked]
