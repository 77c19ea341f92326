"""A logical pool on a real volume group: it grows by a client's request as by a commit, and nothing is overwritten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.api.live import LiveApi, live_api
from tests.api.parts import is_at_rest
from tests.lab.libvirtd import HostObjects
from tests.lab.relay import remote_qemu
from tests.lab.repositories import Repository
from tests.lab.volume_groups import SIZE, Disks, disks, tool

__all__ = ["disks", "remote_qemu"]
pytestmark = pytest.mark.qemu


@pytest.fixture
def api(
    disks: Disks, host_objects: HostObjects, qemu_system: str, repository: Repository, tmp_path: Path
) -> Iterator[LiveApi]:
    """Ends before what it keeps is removed: it would make it again."""
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", qemu_system) as running:
        yield running


def declare(api: LiveApi, name: str, **spec: Any) -> None:
    document = {
        "apiVersion": "onggi/v1", "kind": "StoragePool", "metadata": {"name": name},
        "spec": {"type": "logical", **spec},
    }  # fmt: skip
    api.repository.commit({"pool.yaml": yaml.safe_dump(document)}, "Declare the pool")
    sequence = api.agent.queue.source_changed()
    there = api.agent.passes.wait(lambda world: world.sequence >= sequence and is_at_rest(world), 60)
    world = api.serving.world
    assert there is not None, (world.plan.to_json(), world.failing)


def committed(api: LiveApi) -> list[str]:
    found: list[str] = yaml.safe_load(api.text("pool.yaml"))["spec"]["source"]["devices"]
    return found


def test_a_running_pool_grows_by_a_request_and_by_a_commit(
    api: LiveApi, disks: Disks, host_objects: HostObjects
) -> None:
    first, second, third = disks.device(), disks.device(), disks.device()
    group, name = disks.group(first), host_objects.name("vg")
    declare(api, name, path=f"/dev/{group}", source={"devices": [first]}, active=True)
    before = api.client.get(f"/storagepools/{name}").json()
    assert (before["state"], before["capacity"] < SIZE) == ("active", True)

    grown = api.client.put(f"/storagepools/{name}", json={"disks": [second]})
    assert grown.status_code == 200, grown.text
    assert disks.of(group) == {first, second}
    assert (committed(api), api.log()[0]) == ([first, second], f"Change storage pool {name}")
    assert api.client.get(f"/storagepools/{name}").json()["capacity"] == 2 * before["capacity"]
    assert is_at_rest(api.serving.world)
    assert not api.serving.world.plan.waiting

    declare(api, name, path=f"/dev/{group}", source={"devices": [third, second, first]}, active=True)
    assert disks.of(group) == {first, second, third}
    again = api.client.put(f"/storagepools/{name}", json={"disks": [third]})
    assert (again.status_code, disks.of(group)) == (200, {first, second, third})


def test_a_device_that_holds_something_is_refused_and_the_change_taken_back(
    api: LiveApi, disks: Disks, host_objects: HostObjects
) -> None:
    first, second = disks.device(), disks.device()
    group, name = disks.group(first), host_objects.name("vg")
    declare(api, name, path=f"/dev/{group}", source={"devices": [first]}, active=False)
    tool("mkfs.ext4", "-q", "-L", "precious", second)
    refused = api.client.put(f"/storagepools/{name}", json={"disks": [second], "autostart": True})
    assert (refused.status_code, "wipefs" in refused.json()["reason"]) == (400, True), refused.text
    assert api.log()[:2] == [f"Take back: Change storage pool {name}", f"Change storage pool {name}"]
    assert (committed(api), disks.of(group)) == ([first], {first})
    assert "precious" in tool("blkid", "--probe", second)
    assert api.client.get(f"/storagepools/{name}").json()["autostart"] is False
    tool("wipefs", "--all", second)
    assert api.client.put(f"/storagepools/{name}", json={"disks": [second]}).status_code == 200
    assert disks.of(group) == {first, second}


def test_a_pool_that_was_never_started_makes_its_group_of_all_its_devices(
    api: LiveApi, disks: Disks, host_objects: HostObjects
) -> None:
    first, second, name = disks.device(), disks.device(), disks.name()
    made = api.client.post("/storagepools", json={"name": name, "type": "logical", "source": {"devices": [first]}})
    assert made.status_code == 201, made.text
    try:
        assert api.client.put(f"/storagepools/{name}", json={"disks": [second]}).status_code == 200
        started = api.client.post(f"/storagepools/{name}/activate")
        assert started.status_code == 200, started.text
        assert disks.of(name) == {first, second}
        assert api.client.post(f"/storagepools/{name}/deactivate").status_code == 200
    finally:
        assert api.client.delete(f"/storagepools/{name}").status_code == 204


def test_a_group_that_is_there_becomes_a_pool_as_it_is(api: LiveApi, disks: Disks) -> None:
    device = disks.device()
    group = disks.group(device)
    (listed,) = [each for each in api.client.get("/host/vgs").json() if each["name"] == group]
    assert api.client.get(f"/host/vgs/{group}").json() == listed
    assert (listed["pvs"], listed["lvs"], listed["free"]) == ([device], [], listed["size"])
    body = {"type": "logical", "source": {"from_vg": True}}
    unknown = api.client.post("/storagepools", json={"name": disks.name(), **body})
    assert (unknown.status_code, unknown.json()["reason"].partition(":")[0]) == (400, "KCHPOOL0038E")
    made = api.client.post("/storagepools", json={"name": group, **body})
    assert made.status_code == 201, made.text
    try:
        started = api.client.post(f"/storagepools/{group}/activate").json()
        assert (started["state"], started["capacity"]) == ("active", listed["size"])
        assert disks.of(group) == {device}, "what is there is taken, and nothing written"
        assert api.client.post(f"/storagepools/{group}/deactivate").status_code == 200
    finally:
        assert api.client.delete(f"/storagepools/{group}").status_code == 204
    assert disks.of(group) == {device}


def test_a_group_of_another_machine_is_extended_there(
    disks: Disks, remote_qemu: str, host_objects: HostObjects, repository: Repository, tmp_path: Path
) -> None:
    first, second = disks.device(), disks.device()
    group, name = disks.group(first), host_objects.name("vg")
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", remote_qemu) as api:
        declare(api, name, path=f"/dev/{group}", source={"devices": [first]}, active=False)
        refused = api.client.put(f"/storagepools/{name}", json={"disks": [second]})
        assert (refused.status_code, f"vgextend {group}" in refused.json()["reason"]) == (501, True), refused.text
        assert (committed(api), disks.of(group)) == ([first], {first})
        tool("vgextend", group, second)
        done = api.client.put(f"/storagepools/{name}", json={"disks": [second]})
        assert done.status_code == 200, done.text
        assert committed(api) == [first, second]
