"""What a client asks for and the real hypervisor refuses: the answer says so, and nothing of it is left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import libvirt
import pytest

from tests.api.live import LiveApi, live_api
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository, git

pytestmark = pytest.mark.qemu

AUTOSTART = {"pool": Path("/etc/libvirt/storage/autostart"), "network": Path("/etc/libvirt/qemu/networks/autostart")}


@pytest.fixture
def api(qemu_system: str, host_objects: HostObjects, repository: Repository, tmp_path: Path) -> Iterator[LiveApi]:
    repository.commit({}, f"Begin {host_objects.prefix}")
    with live_api(repository, tmp_path / "state", qemu_system) as running:
        yield running


@contextmanager
def in_the_way(kind: str, name: str) -> Iterator[None]:
    """A folder where libvirt links what starts with the host: it is defined then, and the next step fails."""
    link = AUTOSTART[kind] / f"{name}.xml"
    link.mkdir(parents=True)
    try:
        yield
    finally:
        link.rmdir()


def files(api: LiveApi) -> list[str]:
    return git(api.repository.path, "ls-files").split()


def test_a_pool_on_a_folder_of_another_pool_is_refused_before_it_is_committed(
    api: LiveApi, host_objects: HostObjects, dir_pool_folder: Path
) -> None:
    first, second = host_objects.name("first"), host_objects.name("second")
    body = {"type": "dir", "path": str(dir_pool_folder)}
    assert api.client.post("/storagepools", json={"name": first, **body}).status_code == 201
    refused = api.client.post("/storagepools", json={"name": second, **body})
    assert (refused.status_code, first in refused.json()["reason"]) == (400, True), refused.text
    assert api.log() == [f"Create storage pool {first}"]
    assert files(api) == [f"pools/{first}.yaml"]
    assert api.client.get(f"/storagepools/{second}").status_code == 404
    assert host_objects.left() == [f"pool {first}"]
    assert api.client.delete(f"/storagepools/{first}").status_code == 204
    again = api.client.post("/storagepools", json={"name": second, **body})
    assert again.status_code == 201, again.text  # its name is free, and what stood in its way is asked anew


def test_a_network_over_a_vlan_that_this_host_cannot_have_is_taken_back(
    api: LiveApi, host_objects: HostObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.networks.uplink._interfaces", lambda _serving: None)  # a host that can't tell what it has
    name = host_objects.name("vlan")
    body = {"name": name, "connection": "bridge", "interface": "lo", "vlan_id": 42}
    refused = api.client.post("/networks", json=body)
    assert refused.is_client_error or refused.status_code == 501, refused.text
    assert api.log()[:2] == [f"Take back network {name}, which can't be made", f"Create network {name}"]
    assert files(api) == []
    assert api.client.get(f"/networks/{name}").status_code == 404
    assert host_objects.left() == []


@pytest.mark.parametrize(
    ("kind", "address", "body"),
    [
        ("pool", "/storagepools", {"type": "dir", "path": "/var/lib/libvirt/onggi-test-half-made"}),
        ("network", "/networks", {"connection": "isolated"}),
    ],
)
def test_what_is_half_made_is_removed(
    api: LiveApi, host_objects: HostObjects, kind: str, address: str, body: dict[str, object]
) -> None:
    name = host_objects.name("half")
    with in_the_way(kind, name):
        refused = api.client.post(address, json={"name": name, **body})
    assert (refused.status_code, "autostart" in refused.json()["reason"]) == (400, True), refused.text
    assert [subject.partition(" ")[0] for subject in api.log()[:2]] == ["Take", "Create"]
    assert files(api) == []
    assert api.client.get(f"{address}/{name}").status_code == 404
    assert host_objects.left() == []


def test_what_somebody_else_makes_in_that_moment_stays(
    api: LiveApi, host_objects: HostObjects, dir_pool_folder: Path, qemu_connection: libvirt.virConnect
) -> None:
    name = host_objects.name("theirs")
    made = qemu_connection.storagePoolDefineXML(
        f"<pool type='dir'><name>{name}</name><target><path>{dir_pool_folder}</path></target></pool>"
    )
    # Whether the agent knows of it by now or finds it in its way: the answer is the same.
    refused = api.client.post("/storagepools", json={"name": name, "type": "dir", "path": str(dir_pool_folder)})
    assert refused.is_client_error, refused.text
    assert (qemu_connection.storagePoolLookupByName(name).UUIDString(), files(api)) == (made.UUIDString(), [])
