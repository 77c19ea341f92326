"""What a machine can't become is told once, with its cause, and holds up nothing else of it."""

from __future__ import annotations

from typing import Any

from reconciler.desired.state import DesiredState, Resource
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.operations import Define
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Plan
from reconciler.planning.planner import Planner
from specs.binding import parse, serialise
from specs.host import Host
from specs.mark import Mark, read_mark, write_mark
from tests.planning.values import REPOSITORY, REVISION, vm
from tests.specs.virtualmachine.tool_machines import machine

WEB = vm("web")


def planned(spec: dict[str, Any], text: str, digest: str = "") -> Plan:
    """The plan for a machine of ours with this definition."""
    root = parse(text)
    write_mark(root, Mark(REPOSITORY, "web", frozenset()))
    uid = root.findtext("uuid") or ""
    resource = Resource(WEB, uid, {"runStrategy": "Manual", **spec}, "web.yaml", 3)
    seen = Observed(WEB, uid, serialise(root), state="shutoff", mark=read_mark(root))
    owned = {WEB: Owned(WEB, uid, "web.yaml", facts={Fact.DIGEST.value: digest})} if digest else {}
    desired = DesiredState(REVISION, REPOSITORY, {WEB: resource})
    return Planner().plan(desired, Snapshot(1, Host(), {WEB: seen}), owned)


def test_the_memory_of_a_numa_machine_is_refused_and_its_title_changes_all_the_same() -> None:
    plan = planned({"memory": 8192, "title": "new"}, machine("openstack-numa", "web"))
    [blocked] = plan.blocked
    assert (blocked.ref, blocked.reason, blocked.path, blocked.line) == (WEB, "ChangeRefused", "web.yaml", 3)
    assert "2 NUMA cells" in blocked.message
    assert "another tool" not in blocked.message
    [step] = plan.steps
    assert [change.pointer for change in step.changes] == ["/title"]
    [define] = [operation for operation in step.operations if isinstance(operation, Define)]
    assert parse(define.xml).findtext("title") == "new"
    assert parse(define.xml).findtext("memory") == "4194304"


def test_what_is_refused_alone_is_no_step_that_would_be_repeated_for_ever() -> None:
    plan = planned({"memory": 8192, "cpus": 8}, machine("openstack-numa", "web"))
    assert plan.steps == ()
    [blocked] = plan.blocked
    assert blocked.message.startswith("memory: ")
    assert "; cpus: " in blocked.message


def test_what_the_machine_can_become_is_not_refused() -> None:
    plan = planned({"memory": 2048, "cpus": 2}, machine("openstack-numa", "web"))
    assert plan.blocked == ()
    assert [change.pointer for step in plan.steps for change in step.changes] == ["/memory", "/cpus"]
