"""What is decided about the devices of a logical pool: the volume group grows, and never shrinks."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from reconciler.desired.state import DesiredState, Policy, Resource
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.operations import Define, ExtendVolumeGroup, Start, Stop
from reconciler.planning.plan import Plan
from reconciler.planning.plan_options import PlanOptions
from reconciler.planning.planner import Planner
from specs.effect import Effect
from specs.host import Host
from specs.reference import STORAGE_POOL, Ref
from tests.planning.values import REPOSITORY, REVISION

POOL = Ref(STORAGE_POOL, "fast")
UID = str(uuid.uuid5(uuid.NAMESPACE_DNS, "fast"))


def pool_xml(devices: Iterable[str], group: str = "fast", kind: str = "logical") -> str:
    found = "".join(f"<device path='{each}'/>" for each in devices)
    return (
        f"<pool type='{kind}'><name>fast</name><uuid>{UID}</uuid><source>{found}<name>{group}</name></source>"
        f"<target><path>/dev/{group}</path></target></pool>"
    )


def plan(
    declared: Iterable[str], defined: Iterable[str], live: Iterable[str] | None = None, *,
    group: str = "fast", kind: str = "logical", drift: str = "enforce", **spec: Any,
) -> Plan:  # fmt: skip
    whole = {"type": kind, "source": {"devices": [*declared]}, "active": live is not None, **spec}
    resource = Resource(POOL, UID, whole, "pool.yaml", 1, policy=Policy(drift=drift, adopt=True))
    xml = pool_xml(defined, group, kind)
    running = pool_xml(live, group, kind) if live is not None else None
    seen = Observed(POOL, UID, xml, running, "active" if live is not None else "inactive")
    desired = DesiredState(REVISION, REPOSITORY, {POOL: resource})
    return Planner().plan(desired, Snapshot(1, Host(), {POOL: seen}), {}, options=PlanOptions())


def test_a_device_that_is_added_extends_the_group_of_a_running_pool_without_a_restart() -> None:
    made = plan(["/dev/a", "/dev/b"], ["/dev/a"], ["/dev/a"])
    (step,) = made.steps
    extend, define = step.operations
    assert extend == ExtendVolumeGroup(POOL, "fast", ("/dev/a", "/dev/b"))
    assert isinstance(define, Define)
    assert "/dev/b" in define.xml
    assert [(change.pointer, change.effect) for change in step.changes] == [("/source/devices", Effect.LIVE)]


def test_the_group_is_extended_before_the_definition_says_so() -> None:
    (step,) = plan(["/dev/a", "/dev/b"], ["/dev/a"], group="other").steps
    assert [type(each) for each in step.operations] == [ExtendVolumeGroup, Define]
    assert step.operations[0] == ExtendVolumeGroup(POOL, "other", ("/dev/a", "/dev/b"))


def test_a_group_that_is_made_at_the_first_start_may_be_missing_until_then() -> None:
    (step,) = plan(["/dev/a", "/dev/b"], ["/dev/a"], build=True).steps
    assert step.operations[0] == ExtendVolumeGroup(POOL, "fast", ("/dev/a", "/dev/b"), made_later=True)
    (running,) = plan(["/dev/a", "/dev/b"], ["/dev/a"], ["/dev/a"], build=True).steps
    assert running.operations[0] == ExtendVolumeGroup(POOL, "fast", ("/dev/a", "/dev/b"))


def test_what_the_pool_was_started_with_is_no_difference() -> None:
    for drift in ("enforce", "warn"):
        made = plan(["/dev/a", "/dev/b"], ["/dev/a", "/dev/b"], ["/dev/a"], drift=drift)
        assert (made.empty, made.waiting, made.drifted, made.blocked) == (True, (), (), ())


def test_a_device_that_is_taken_out_is_refused() -> None:
    for declared in (["/dev/a"], ["/dev/a", "/dev/c"]):
        made = plan(declared, ["/dev/a", "/dev/b"], ["/dev/a", "/dev/b"])
        assert made.empty
        (blocked,) = made.blocked
        assert blocked.reason == "ChangeRefused"
        assert "source/devices can't go from" in blocked.message


def test_another_order_or_spelling_is_the_same() -> None:
    made = plan(["/dev//b", "/dev/a/"], ["/dev/a", "/dev/b"], ["/dev/a", "/dev/b"])
    assert made.empty


def test_the_device_of_another_type_of_pool_waits_for_a_restart_as_ever() -> None:
    (step,) = plan(["/dev/b"], ["/dev/a"], ["/dev/a"], kind="fs").steps
    assert [type(each) for each in step.operations] == [Define, Stop, Define, Start]
