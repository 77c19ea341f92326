"""What a machine can't become is told once, with its cause, and holds up nothing else of it; what goes is told too."""

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
    host = Host(pool_paths={"default": "/var/lib/libvirt/images"})
    return Planner().plan(desired, Snapshot(1, host, {WEB: seen}), owned)


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


def test_the_plan_names_what_goes_with_a_change() -> None:
    spec = {
        "graphics": {"type": "vnc"},
        "disks": [{"name": "root", "volume": "default/desktop.qcow2", "bus": "sata"}],
        "interfaces": [{"network": "default", "mac": "52:54:00:4b:73:5f"}],
    }
    [step] = planned(spec, machine("virt-manager-spice", "web")).steps
    notes = {change.pointer.rpartition("/")[2]: change.note for change in step.changes}
    assert notes == {
        "type": "smartcard, channel, redirdev, audio go with it",
        "bus": "queues, iothread, ioeventfd, event_idx, packed go with it",
        "network": "virtualport, vlan go with it",
    }
    [blocked] = planned({"machine": "pc"}, machine("by-hand-headless", "web")).blocked
    assert "boots securely" in blocked.message


def test_a_change_with_which_nothing_goes_says_nothing_more() -> None:
    [step] = planned({"title": "new", "memory": 512}, machine("kcli", "web")).steps
    assert [change.note for change in step.changes] == ["", ""]
