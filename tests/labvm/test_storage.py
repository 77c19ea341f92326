"""Pools on a volume group, an NFS server, an iSCSI target and a SCSI adapter, started for real."""

from __future__ import annotations

from typing import Any

import libvirt
import pytest

from tests.api.live import LiveApi
from tests.api.parts import is_at_rest
from tests.lab.libvirtd import HostObjects
from tests.labvm.machine import GROUP_DISK, GROUP_SIZE

pytestmark = [pytest.mark.qemu, pytest.mark.chain("lab"), pytest.mark.timeout(900)]

MIB = 1 << 20
TARGET = "iqn.2024-01.org.example:lab"
LUN_SIZE = 64 * MIB


class Pool:
    """A pool that a client of the API makes, and libvirt's view of it."""

    def __init__(self, api: LiveApi, connection: libvirt.virConnect, name: str) -> None:
        self.api, self.name, self._connection = api, name, connection
        self.path = f"/storagepools/{name}"

    def make(self, kind: str, source: dict[str, Any]) -> dict[str, Any]:
        """Made, and started."""
        made = self.api.client.post("/storagepools", json={"name": self.name, "type": kind, "source": source})
        assert (made.status_code, made.json()["state"]) == (201, "inactive"), made.text
        started = self.api.client.post(f"{self.path}/activate")
        assert started.status_code == 200, started.text
        view: dict[str, Any] = started.json()
        assert (view["state"], view["type"], self.real.isActive()) == ("active", kind, 1)
        return view

    def remove(self) -> None:
        """Stopped, and forgotten: what was never changed behind the agent's back has left it nothing to do."""
        assert is_at_rest(self.api.serving.world)
        stopped = self.api.client.post(f"{self.path}/deactivate")
        assert (stopped.status_code, self.real.isActive()) == (200, 0), stopped.text
        assert self.api.client.delete(self.path).status_code == 204
        assert self.api.client.get(self.path).status_code == 404
        with pytest.raises(libvirt.libvirtError, match="Storage pool not found"):
            _ = self.real
        assert [each.partition(" ")[0] for each in self.api.log()[:2]] == ["Delete", "Deactivate"]

    @property
    def real(self) -> libvirt.virStoragePool:
        return self._connection.storagePoolLookupByName(self.name)

    def volumes(self) -> dict[str, dict[str, Any]]:
        """As the API lists them, which has to be as libvirt does."""
        answer = self.api.client.get(f"{self.path}/storagevolumes")
        found = {each["name"]: each for each in answer.json()}
        assert set(found) == set(self.real.listVolumes())
        return found

    def add(self, name: str, **more: Any) -> dict[str, Any]:
        request = self.api.client.post(f"{self.path}/storagevolumes", json={"name": name, **more})
        return self.api.task(request, 120)

    def delete(self, volume: str) -> int:
        return self.api.client.delete(f"{self.path}/storagevolumes/{volume}").status_code


@pytest.fixture
def pool(api: LiveApi, on_lab: libvirt.virConnect, objects: HostObjects) -> Pool:
    return Pool(api, on_lab, objects.name("pool"))


def test_a_volume_group_is_made_of_an_empty_disk_and_divided(pool: Pool) -> None:
    view = pool.make("logical", {"devices": [GROUP_DISK]})
    assert GROUP_SIZE - 8 * MIB < view["capacity"] < GROUP_SIZE
    assert (view["allocated"], view["path"], pool.volumes()) == (0, f"/dev/{pool.name}", {})
    done = pool.add("data", capacity=64 * MIB)
    assert done["status"] == "finished", done
    volume = pool.volumes()["data"]
    assert (volume["type"], volume["format"], volume["capacity"]) == ("block", "raw", 64 * MIB)
    assert volume["path"] == f"/dev/{pool.name}/data"
    assert pool.api.client.get(pool.path).json()["allocated"] == 64 * MIB
    log = pool.api.log()
    refused = pool.api.client.post(f"{pool.path}/storagevolumes/data/resize", json={"size": 96 * MIB})
    assert (refused.status_code, "can't grow" in refused.json()["reason"]) == (501, True), refused.text
    assert (pool.api.log(), pool.volumes()["data"]["capacity"]) == (log, 64 * MIB)
    assert pool.delete("data") == 204
    assert pool.volumes() == {}
    pool.remove()


def test_a_share_is_mounted_and_its_volumes_are_files_of_the_server(pool: Pool) -> None:
    view = pool.make("netfs", {"host": "127.0.0.1", "path": "/srv/nfs"})
    assert view["source"] == {"addr": "127.0.0.1", "path": "/srv/nfs"}
    assert view["capacity"] > 256 * MIB  # the server's disk
    done = pool.add("disk.qcow2", capacity=16 * MIB, format="qcow2")
    assert done["status"] == "finished", done
    volume = pool.volumes()["disk.qcow2"]
    assert (volume["type"], volume["format"], volume["capacity"]) == ("file", "qcow2", 16 * MIB)
    assert volume["path"] == f"{view['path']}/disk.qcow2"
    # It's there when the share is mounted again, so it was on the server.
    assert pool.api.client.post(f"{pool.path}/deactivate").status_code == 200
    assert pool.api.client.post(f"{pool.path}/activate").status_code == 200
    assert set(pool.volumes()) == {"disk.qcow2"}
    assert pool.delete("disk.qcow2") == 204
    pool.remove()


def test_the_units_of_an_iscsi_target_are_volumes_that_are_there_already(pool: Pool) -> None:
    view = pool.make("iscsi", {"host": "127.0.0.1", "target": TARGET})
    assert (view["capacity"], view["nr_volumes"]) == (LUN_SIZE, 1)
    (volume,) = pool.volumes().values()
    assert (volume["type"], volume["format"], volume["capacity"]) == ("block", "raw", LUN_SIZE)
    assert TARGET in volume["path"]
    refused = pool.api.client.post(f"{pool.path}/storagevolumes", json={"name": "more", "capacity": MIB})
    assert refused.status_code == 400, refused.text
    pool.remove()


def test_a_target_that_isnt_offered_is_told_when_the_pool_is_started(pool: Pool) -> None:
    nobody = "iqn.2024-01.org.example:nobody"
    body = {"name": pool.name, "type": "iscsi", "source": {"host": "127.0.0.1", "target": nobody}}
    made = pool.api.client.post("/storagepools", json=body)
    assert made.status_code == 201, made.text
    refused = pool.api.client.post(f"{pool.path}/activate")
    assert refused.status_code >= 400, refused.text
    assert nobody in refused.json()["reason"], refused.text
    assert (pool.api.client.get(pool.path).json()["state"], pool.real.isActive()) == ("inactive", 0)
    gone = pool.api.client.delete(pool.path)
    assert gone.status_code == 204, gone.text


def test_the_disks_of_a_scsi_adapter_are_volumes(pool: Pool) -> None:
    adapters = {each["host"] for each in pool.api.client.get("/host/devices", params={"_cap": "scsi"}).json()}
    (number,) = adapters
    view = pool.make("scsi", {"adapter_name": f"scsi_host{number}"})
    assert (view["source"]["adapter_name"], view["nr_volumes"]) == (f"scsi_host{number}", 2)
    assert {each["capacity"] for each in pool.volumes().values()} == {8 * MIB}
    pool.remove()
