"""A disk that lies in no pool is data as any other: it leaves a machine when a person says so, to one alone."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.planning.plan import Blocked, Plan
from specs.reference import VIRTUAL_MACHINE, Ref
from tests.desired.documents import document, vm
from tests.planning.rehearsed_host import RehearsedHost, disk_paths, pool

WEB, OTHER = Ref(VIRTUAL_MACHINE, "web"), Ref(VIRTUAL_MACHINE, "other")
A: dict[str, Any] = {"file": "/var/lib/libvirt/images/a.qcow2"}
SOURCES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "file": (A, {"file": "/var/lib/libvirt/images/b.qcow2"}),
    "block": ({"block": "/dev/disk/by-id/a"}, {"block": "/dev/disk/by-id/b"}),
    "network": (
        {"network": {"protocol": "rbd", "name": "pool/a", "hosts": ["10.0.0.1"]}},
        {"network": {"protocol": "rbd", "name": "pool/b", "hosts": ["10.0.0.1"]}},
    ),
    "nvme": (
        {"nvme": {"device": "pci_0000_01_00_0", "namespace": 1}},
        {"nvme": {"device": "pci_0000_01_00_0", "namespace": 2}},
    ),
}
FOLDERS = ("/var/lib/libvirt/images", "/dev/disk/by-id", "/default")


def files(*disks: dict[str, Any], **fields: Any) -> dict[str, str | bytes]:
    return {"default.yaml": pool("default"), "web.yaml": vm("web", {"disks": list(disks), **fields})}


@pytest.fixture(params=[True, False], ids=["running", "off"])
def host(request: pytest.FixtureRequest) -> RehearsedHost:
    return RehearsedHost(running=request.param, allowed_folders=FOLDERS)


def told(plan: Plan) -> list[Blocked]:
    return [each for each in plan.blocked if each.ref == WEB]


@pytest.mark.parametrize("kind", SOURCES)
def test_it_is_at_rest_once_it_is_there(host: RehearsedHost, kind: str) -> None:
    wish = files(SOURCES[kind][0], runStrategy="Always" if host.running else "Halted")
    assert not host.apply(wish).blocked
    again = host.plan(wish)
    assert (again.steps, again.blocked) == ((), ())


@pytest.mark.parametrize("kind", SOURCES)
def test_another_one_in_its_place_waits_for_a_person(host: RehearsedHost, kind: str) -> None:
    one, other = SOURCES[kind]
    host.apply(files(one))
    (before,) = disk_paths(host.objects[WEB].xml)
    plan = host.plan(files(other))
    (waiting,) = told(plan)
    assert waiting.reason == "NeedsApproval"
    host.perform(plan)
    assert before in disk_paths(host.objects[WEB].xml)
    assert before in disk_paths(host.objects[WEB].live_xml or host.objects[WEB].xml)
    host.approved.add(waiting.digest)
    plan = host.apply(files(other))
    assert not told(plan)
    (after,) = disk_paths(host.objects[WEB].xml)
    assert after != before


@pytest.mark.parametrize("kind", SOURCES)
def test_one_that_leaves_the_document_stays_until_a_person_says_otherwise(host: RehearsedHost, kind: str) -> None:
    one, _ = SOURCES[kind]
    root = {"name": "root", "size": "16MiB"}
    host.apply(files(root, one))
    before = host.objects[WEB].xml.count("<disk")
    plan = host.apply(files(root, title="x"))
    (waiting,) = told(plan)
    assert host.objects[WEB].xml.count("<disk") == before
    assert "<title>x</title>" in host.objects[WEB].xml, "the rest goes on"
    host.approved.add(waiting.digest)
    host.apply(files(root, title="x"))
    assert host.objects[WEB].xml.count("<disk") == before - 1


def test_a_file_is_the_same_disk_under_the_name_of_its_volume(host: RehearsedHost) -> None:
    host.apply(files({"name": "root", "size": "16MiB"}))
    assert host.disks("web") == ["/default/web-root.qcow2"]
    plan = host.plan(files({"file": "/default/web-root.qcow2"}))
    assert not plan.blocked
    host.perform(plan)
    assert host.disks("web") == ["/default/web-root.qcow2"]


def test_two_machines_of_one_file_are_told_apart(host: RehearsedHost) -> None:
    wish = {**files(A), "other.yaml": vm("other", {"disks": [A]})}
    problems = host.wish(wish).problems
    assert len(problems) == 2
    assert all("two writers destroy it" in each.message for each in problems)


@pytest.mark.parametrize("shared", [{"readOnly": True}, {"shareable": True, "format": "raw"}])
def test_what_is_said_to_be_shared_is(host: RehearsedHost, shared: dict[str, Any]) -> None:
    wish = {**files({**A, **shared}), "other.yaml": vm("other", {"disks": [{**A, **shared}]})}
    assert not host.wish(wish).problems


def test_a_file_outside_of_all_allowed_folders_is_refused_with_the_way_out(host: RehearsedHost) -> None:
    for disk in ({"file": "/srv/a.img"}, {"block": "/dev/sda"}, {"vhostUser": "/run/a.sock"}):
        (problem,) = host.wish(files(disk)).problems
        assert "allowed-folder" in problem.message


def test_a_volume_that_a_file_names_is_not_deleted(host: RehearsedHost) -> None:
    volume = {"pool": "default", "capacity": "16MiB", "deletionPolicy": "Delete"}
    told = {**files({"file": "/default/data"}), "data.yaml": document("StorageVolume", "data", volume)}
    host.apply({key: told[key] for key in ("default.yaml", "data.yaml")})
    host.apply(told)
    plan = host.plan(files({"file": "/default/data"}))
    assert Ref.volume("default", "data") not in {step.ref for step in plan.steps}
