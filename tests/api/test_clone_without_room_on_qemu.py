"""A clone of a disk whose own pool has no room goes to the pool `default`, or leaves nothing: on real, full folders."""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libvirt
import pytest
import yaml

from tests.api.live import LiveApi, live_api
from tests.api.parts import is_at_rest
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository

pytestmark = pytest.mark.qemu
MIB = 1 << 20
LOCK = Path("/run/onggi-test-default-pool")  # there is one name `default`, and tests may run side by side


@pytest.fixture
def small(dir_pool_folder: Path) -> Iterator[Path]:
    """A folder with room for 48 MiB."""
    folder = dir_pool_folder / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m,mode=0755", "onggi-test", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def no_default(qemu_connection: libvirt.virConnect) -> Iterator[None]:
    """Nobody else's pool has the name `default`, nor gets it from another test meanwhile."""
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if "default" in [pool.name() for pool in qemu_connection.listAllStoragePools()]:
            pytest.skip("this host has a pool `default` of its own, which tests leave alone")
        yield


@pytest.fixture
def default(no_default: None, qemu_connection: libvirt.virConnect, dir_pool_folder: Path) -> Iterator[Path]:
    """The folder of an active pool `default`."""
    folder = dir_pool_folder / "default"
    folder.mkdir()
    pool = qemu_connection.storagePoolDefineXML(
        f"<pool type='dir'><name>default</name><target><path>{folder}</path></target></pool>"
    )
    try:
        pool.create()
        yield folder
    finally:
        with suppress(libvirt.libvirtError):  # it may be inactive
            pool.destroy()
        pool.undefine()


@dataclass
class Lab:
    api: LiveApi
    name: str
    pool: str
    folder: Path
    hand: libvirt.virConnect

    def clone(self) -> dict[str, Any]:
        """How the task of a clone ends."""
        return self.api.task(self.api.client.post(f"/vms/{self.name}/clone"))

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load(self.api.text(f"{self.name}-clone-1.yaml"))
        return found


@pytest.fixture
def lab(
    request: pytest.FixtureRequest, small: Path, host_objects: HostObjects, qemu_system: str,
    qemu_connection: libvirt.virConnect, repository: Repository, tmp_path: Path,
) -> Iterator[Lab]:  # fmt: skip
    """A machine that is off, whose disk takes 30 MiB of the small folder's room."""
    if "default" in request.fixturenames:
        request.getfixturevalue("default")  # before the agent begins, after it has ended
    pool, name = host_objects.name("small"), host_objects.name("vm")
    documents = {
        "pool.yaml": ("StoragePool", pool, {"type": "dir", "path": str(small)}),
        "vm.yaml": (
            "VirtualMachine",
            name,
            {
                "memory": 64, "runStrategy": "Halted", "domainType": "emulated",
                "disks": [{"name": "data", "size": "40MiB", "pool": pool}],
            },
        ),
    }  # fmt: skip
    repository.commit({
        path: yaml.safe_dump({"apiVersion": "onggi/v1", "kind": kind, "metadata": {"name": called}, "spec": spec})
        for path, (kind, called, spec) in documents.items()
    })  # fmt: skip
    with live_api(repository, tmp_path / "state", qemu_system) as api:
        assert api.agent.passes.wait(is_at_rest, 60) is not None
        write(small / f"{name}-data.qcow2")
        qemu_connection.storagePoolLookupByName(pool).refresh()
        yield Lab(api, name, pool, small, qemu_connection)


def write(image: Path) -> None:
    command = ["qemu-io", "-f", "qcow2", "-c", "write -P 7 0 30M", image]
    subprocess.run(command, check=True, capture_output=True)


def reads(image: Path) -> bool:
    command = ["qemu-io", "-r", "-f", "qcow2", "-c", "read -P 7 0 30M", image]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode == 0 and "verification failed" not in done.stdout


def test_a_copy_that_its_own_pool_has_no_room_for_goes_to_the_pool_default(default: Path, lab: Lab) -> None:
    task = lab.clone()
    assert task["status"] == "finished", task
    copy = default / f"{lab.name}-clone-1-data.qcow2"
    assert reads(copy)
    assert lab.files() == [f"{lab.name}-data.qcow2"]
    (disk,) = lab.document()["spec"]["disks"]
    assert (disk["size"], disk.get("pool", "default")) == ("40MiB", "default")
    assert str(copy) in lab.hand.lookupByName(f"{lab.name}-clone-1").XMLDesc()
    assert lab.api.serving.operations.look_again(None).plan.empty
    assert lab.api.client.delete(f"/vms/{lab.name}-clone-1").status_code == 204
    assert not any(default.iterdir())


def test_a_copy_that_no_pool_has_room_for_leaves_nothing(no_default: None, lab: Lab) -> None:
    head = lab.api.repository.head
    task = lab.clone()
    assert (task["status"], task["message"].partition(":")[0]) == ("failed", "KCHVM0034E"), task
    assert "has room for" in task["message"]
    assert lab.files() == [f"{lab.name}-data.qcow2"]
    assert lab.api.repository.head == head
    assert lab.api.client.get(f"/vms/{lab.name}-clone-1").status_code == 404
    assert lab.api.agent.line.ledger.intents.unfinished() == ()


def test_a_copy_stays_in_its_pool_while_there_is_room(default: Path, lab: Lab) -> None:
    subprocess.run(["mount", "-o", "remount,size=128m", lab.folder], check=True)
    lab.hand.storagePoolLookupByName(lab.pool).refresh()
    assert lab.clone()["status"] == "finished"
    assert reads(lab.folder / f"{lab.name}-clone-1-data.qcow2")
    assert not any(default.iterdir())
