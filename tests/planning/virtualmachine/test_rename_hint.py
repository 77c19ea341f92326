"""A plan that removes one machine and makes one like it says how the first could be renamed instead."""

from __future__ import annotations

from typing import Any

from reconciler.desired.state import DesiredState, Resource
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.ownership import Owned
from reconciler.planning.plan import Action, Plan
from reconciler.planning.planner import Planner
from specs.host import Host, VolumeSource
from specs.reference import Ref
from specs.virtualmachine import KIND
from tests.planning.values import REPOSITORY, REVISION, vm
from tests.specs.rendering import new_xml

WEB, SHOP = vm("web"), vm("shop")
UID = "6f1c9c52-0000-4000-8000-00000000000a"
DATA = {"disks": [{"volume": "default/data.qcow2"}]}
HOST = Host(
    domain_types=("qemu",),
    volumes={Ref.volume("default", "data.qcow2"): VolumeSource("/pool/data.qcow2", format="qcow2")},
)


def plan(old: dict[str, Any], *new: Resource) -> Plan:
    """`web` is on the host as `old` says, and has no document any more."""
    concrete = KIND.xml.lower(old, name="web", uid=UID, host=HOST)
    xml = new_xml(KIND, concrete, name="web", host=HOST, uid=UID)
    seen = Observed(WEB, UID, xml, state="shutoff")
    # Something else stays declared, so that the repository isn't taken for an empty one.
    other = Resource(vm("db"), "1", {"memory": 64}, "db.yaml", 1)
    desired = DesiredState(REVISION, REPOSITORY, {each.ref: each for each in (*new, other)})
    return Planner().plan(desired, Snapshot(1, HOST, {WEB: seen}), {WEB: Owned(WEB, UID, "web.yaml")})


def shop(spec: dict[str, Any], name: str = "shop") -> Resource:
    return Resource(vm(name), f"uid-of-{name}", spec, f"{name}.yaml", 1)


def hints(found: Plan) -> list[str]:
    return [note for note in found.notes if "looks like" in note]


def test_the_same_machine_under_another_name_is_told_with_the_uid_to_write() -> None:
    found = plan({"memory": 2048, "cpus": 2}, shop({"memory": 2048, "cpus": 2, "title": "The shop"}))
    assert (Action.CREATE, SHOP) in [(step.action, step.ref) for step in found.steps]
    (hint,) = hints(found)
    assert hint.startswith("VirtualMachine/shop looks like VirtualMachine/web, which is to go")
    assert f"`uid: {UID}` below the `metadata`" in hint


def test_a_machine_that_takes_the_others_disk_is_told_whatever_else_differs() -> None:
    assert len(hints(plan({"memory": 2048, **DATA}, shop({"memory": 4096, **DATA})))) == 1


def test_another_machine_is_another_machine() -> None:
    assert hints(plan({"memory": 2048}, shop({"memory": 4096}))) == []


def test_two_that_are_like_it_are_both_told() -> None:
    assert len(hints(plan({"memory": 2048}, shop({"memory": 2048}), shop({"memory": 2048}, "store")))) == 2


def test_one_that_this_host_can_not_have_is_like_no_other() -> None:
    assert hints(plan({"memory": 2048}, shop({"memory": 2048, "domainType": "kvm"}))) == []
    assert hints(plan({"memory": 2048}, shop({"memory": 2048, "hostDevices": [{"device": "usb_1_2"}]}))) == []


def test_one_with_another_number_of_disks_is_another_machine() -> None:
    disks = [{"name": name, "volume": f"default/shop-{name}"} for name in ("a", "b")]
    assert len(hints(plan({"memory": 2048, **DATA}, shop({"memory": 2048, "disks": disks[:1]})))) == 1
    assert hints(plan({"memory": 2048, **DATA}, shop({"memory": 2048, "disks": disks}))) == []


def test_where_very_many_come_and_go_none_is_compared() -> None:
    many = [shop({"memory": 2048}, f"m{number}") for number in range(400)]
    assert len(hints(plan({"memory": 2048}, *many[:399]))) == 399
    assert hints(plan({"memory": 2048}, *many)) == []
