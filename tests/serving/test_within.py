"""What a change leaves decides who may make it: of every field of a machine, and of every other document."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import pytest

from reconciler.errors import Forbidden
from reconciler.identity.role import Role
from reconciler.serving.within import check_within, require
from reconciler.writing.changes import DocumentChange, Put, Remove
from specs.plain import NewDocument
from specs.reference import VIRTUAL_MACHINE, Ref
from specs.registry import kinds
from specs.virtualmachine.compute.staged import ANNOTATION

WEB = Ref(VIRTUAL_MACHINE, "web")
BEFORE: NewDocument = {
    "apiVersion": "onggi/v1",
    "kind": VIRTUAL_MACHINE,
    "metadata": {"name": "web", "uid": "1"},
    "spec": {
        "cpus": 1,
        "memory": 512,
        "disks": [{"name": "disk0", "size": "1GiB", "bootOrder": 1}],
        "cdroms": [{"target": "sda", "url": "https://example.org/a.iso"}],
        "graphics": {"type": "vnc", "listen": "127.0.0.1"},
    },
}
ONES_OWN = {
    "autostart", "bootDevices", "bootMenu", "cpuTopology", "cpus", "description", "maximumCpus", "maximumMemory",
    "memory", "paused", "runStrategy", "title",
}  # fmt: skip


class Tip:
    """`Documents` with that one machine."""

    def get(self, ref: Ref) -> NewDocument | None:
        return copy.deepcopy(BEFORE) if ref == WEB else None

    def path(self, ref: Ref) -> str | None:
        return "web.yaml" if ref == WEB else None

    def refs(self) -> frozenset[Ref]:
        return frozenset({WEB})


@dataclass
class Holds:
    """`Rights` of somebody with this role everywhere, and with this machine of theirs."""

    role: Role
    owned: Ref | None = None

    def role_on(self, _ref: Ref) -> Role:
        return self.role

    def owns(self, machine: Ref) -> bool:
        return machine == self.owned


def may(role: Role, *changes: DocumentChange, owned: Ref | None = None) -> bool:
    try:
        check_within(Holds(role, owned), changes, Tip(), lambda ref: Tip().get(ref) or {})
    except Forbidden:
        return False
    return True


def with_spec(**fields: Any) -> Put:
    spec = {key: value for key, value in {**BEFORE["spec"], **fields}.items() if value is not None}
    return Put(WEB, {**BEFORE, "spec": spec})


@pytest.mark.parametrize("field", sorted(kinds()[VIRTUAL_MACHINE].schema["properties"]["spec"]["properties"]))
def test_of_every_field_only_those_of_a_machines_own_are_an_operators(field: str) -> None:
    change = with_spec(**{field: [{"name": "new", "path": "/new"}]})
    assert may(Role.OPERATOR, change) == (field in ONES_OWN)
    assert may(Role.ADMIN, change)
    assert not may(Role.VIEWER, change)


@pytest.mark.parametrize(
    ("fields", "allowed"),
    [
        ({"graphics": {**BEFORE["spec"]["graphics"], "passwordFrom": {"file": "/kept"}, "passwordValidTo": "x"}}, True),
        ({"graphics": {"type": "vnc", "listen": "0.0.0.0"}}, False),
        ({"graphics": {"type": "spice", "listen": "127.0.0.1"}}, False),
        ({"graphics": None}, False),
        ({"disks": [{"name": "disk0", "size": "1GiB"}]}, True),
        ({"disks": []}, False),
        ({"disks": [{"name": "disk0", "size": "2GiB", "bootOrder": 1}]}, False),
        ({"cdroms": [{"target": "sda"}]}, True),
        ({"cdroms": [{"target": "sda", "volume": "pool/a.iso"}]}, True),
        ({"cdroms": [{"target": "sdb", "url": "https://example.org/a.iso"}]}, True),
        ({"cdroms": [{"target": "sda", "url": "https://example.org/b.iso"}]}, False),
        ({"cdroms": [{"target": "sda", "path": "https://example.org/a.iso"}]}, False),
        ({"cdroms": None}, True),
        ({"hostDevices": [{"device": "pci_0000_00_1f_2"}]}, False),
        ({"access": {"users": ["otto"]}}, False),
        ({"memory": 1024, "access": {"users": ["otto"]}}, False),
        ({"something-new": 1}, False),
    ],
    ids=str,
)
def test_a_part_of_a_field_counts_by_what_it_reaches(fields: dict[str, Any], allowed: bool) -> None:
    assert may(Role.OPERATOR, with_spec(**fields)) is allowed
    assert may(Role.ADMIN, with_spec(**fields))


@pytest.mark.parametrize(
    ("metadata", "allowed"),
    [
        ({"annotations": {ANNOTATION: "memory=512"}}, True),
        ({"annotations": {"onggi/other": "1"}}, False),
        ({"uid": "2"}, False),
        ({"name": "other"}, False),
    ],
    ids=str,
)
def test_what_a_document_is_stays(metadata: dict[str, Any], allowed: bool) -> None:
    changed = Put(WEB, {**BEFORE, "metadata": {**BEFORE["metadata"], **metadata}})
    assert may(Role.OPERATOR, changed) is allowed


def test_other_documents_and_their_end_are_an_administrators() -> None:
    network = Ref("Network", "lan")
    for change in (Put(network, {"kind": "Network"}), Remove(WEB), Remove(network), Put(WEB, BEFORE, was=Ref(*WEB))):
        assert may(Role.ADMIN, change)
        assert not may(Role.OPERATOR, change)
        assert not may(Role.OPERATOR, with_spec(memory=1024), change)
    assert may(Role.OPERATOR)


def test_an_owner_removes_a_machine_with_the_volumes_that_are_called_after_it() -> None:
    disk, other = Ref.volume("pool", "web-data.qcow2"), Ref.volume("pool", "shop-data.qcow2")
    mine = [Remove(WEB), Remove(disk)]
    assert may(Role.OPERATOR, *mine, owned=WEB)
    assert not may(Role.VIEWER, *mine, owned=WEB), "who only looks"
    assert not may(Role.OPERATOR, *mine, owned=Ref(VIRTUAL_MACHINE, "shop"))
    assert not may(Role.OPERATOR, *mine, Remove(other), owned=WEB)
    assert not may(Role.OPERATOR, Remove(disk), owned=WEB), "a disk alone"


def test_what_is_refused_says_which_role_it_needs() -> None:
    with pytest.raises(Forbidden, match="`access` of VirtualMachine/web needs the role admin, and yours is operator"):
        check_within(Holds(Role.OPERATOR), [with_spec(access={})], Tip(), lambda _ref: BEFORE)
    with pytest.raises(Forbidden, match="An image needs the role admin, and yours is viewer"):
        require(Role.VIEWER, Role.ADMIN, "An image")
    require(Role.ADMIN, Role.ADMIN, "An image")
