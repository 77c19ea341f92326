"""Machines on the real hypervisor: made, run, cloned with their data, renamed and removed with their disks."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libvirt
import pytest

from tests.api.live import LiveApi, live_api
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository
from tests.lab.waiting import until

pytestmark = pytest.mark.qemu


@dataclass
class Lab:
    """The API on qemu:///system, with a template `small` whose pool is at `folder`."""

    api: LiveApi
    objects: HostObjects
    hand: libvirt.virConnect
    folder: Path

    def make(self, what: str = "vm", **body: Any) -> str:
        """A machine that is there; its name."""
        name = self.objects.name(what)
        template = f"/templates/{self.objects.name('small')}"
        task = self.api.task(self.api.client.post("/vms", json={"name": name, "template": template, **body}))
        assert task["status"] == "finished", task
        return name

    def files(self) -> list[str]:
        """The pool's files, without the test's prefix."""
        return sorted(path.name.removeprefix(self.objects.prefix) for path in self.folder.iterdir())

    def path(self, file: str) -> Path:
        """One of them."""
        return self.folder / self.objects.name(file)


@pytest.fixture
def lab(
    qemu_system: str, qemu_connection: libvirt.virConnect, host_objects: HostObjects, dir_pool_folder: Path,
    repository: Repository, tmp_path: Path,
) -> Iterator[Lab]:  # fmt: skip
    pool, folder = host_objects.name("pool"), dir_pool_folder / "pool"
    repository.commit({
        "pool.yaml": f"apiVersion: onggi/v1\nkind: StoragePool\nmetadata: {{name: {pool}}}\n"
        f"spec: {{type: dir, path: {folder}}}\n",
        "template.yaml": f"apiVersion: onggi/v1\nkind: Template\nmetadata: {{name: {host_objects.name('small')}}}\n"
        f"spec: {{osDistro: debian, osVersion: '12', memory: 64, storagePool: {pool}, disks: [{{size: 1}}]}}\n",
    })  # fmt: skip
    with live_api(repository, tmp_path / "state", qemu_system, allowed_folders=(str(dir_pool_folder),)) as api:
        yield Lab(api, host_objects, qemu_connection, folder)


def write(path: Path, pattern: int) -> None:
    command = ["qemu-io", "-f", "qcow2", "-c", f"write -P {pattern} 1M 2M", path]
    subprocess.run(command, check=True, capture_output=True)


def reads(path: Path, pattern: int) -> bool:
    command = ["qemu-io", "-r", "-f", "qcow2", "-c", f"read -P {pattern} 1M 2M", path]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode == 0 and "verification failed" not in done.stdout


def test_the_life_of_a_machine(lab: Lab) -> None:
    name = lab.make()
    assert lab.files() == ["vm-disk0.qcow2"]
    client = lab.api.client
    running = client.post(f"/vms/{name}/start").json()
    try:
        assert running["state"] == "running"
        assert running["graphics"]["port"] >= 5900 and running["graphics"]["listen"] == "127.0.0.1"
        assert running["screenshot"] == f"/vms/{name}/screenshot"
        assert client.post(f"/vms/{name}/suspend").json()["state"] == "paused"
        assert client.post(f"/vms/{name}/resume").json()["state"] == "running"
        assert client.post(f"/vms/{name}/reset").json()["state"] == "running"
        graphics = client.put(f"/vms/{name}", json={"memory": 512, "graphics": {"passwd": "s3cret"}}).json()["graphics"]
        assert (graphics["passwd"], client.get(f"/vms/{name}").json()["memory"]) == ("s3cret", 64)
        # There is no system in it: nobody hears the power button.
        assert client.post(f"/vms/{name}/shutdown").json()["state"] == "running"
        off = client.post(f"/vms/{name}/poweroff").json()
        assert (off["state"], off["memory"], off["graphics"]["port"]) == ("shutoff", 512, None)
    finally:
        assert client.delete(f"/vms/{name}").status_code == 204
    assert client.get(f"/vms/{name}").status_code == 404
    assert lab.files() == []
    assert lab.api.log()[:6] == [
        f"{what} machine {name}"
        for what in ("Delete", "Power off", "Shut down", "Change", "Resume", "Suspend")
        if what != "Power off"  # nothing new was wanted: it was to be off already
    ] + [f"Start machine {name}"]


def test_a_start_that_fails_locks_nothing_and_is_withdrawn_by_the_opposite_action(lab: Lab) -> None:
    name, client = lab.make(), lab.api.client
    closed = lab.folder.parent / "closed"  # QEMU's own user doesn't get in
    closed.mkdir(mode=0o700)
    (closed / "medium.iso").write_bytes(bytes(2048))
    try:
        added = client.post(f"/vms/{name}/storages", json={"type": "cdrom", "path": str(closed / "medium.iso")})
        assert added.status_code == 201, added.text
        refused = client.post(f"/vms/{name}/start")
        assert refused.status_code >= 400 and "medium.iso" in refused.json()["reason"], refused.text
        domain = lab.hand.lookupByName(name)

        changed = client.put(f"/vms/{name}", json={"memory": 512, "cpus": 2})
        assert changed.status_code == 200, changed.text
        assert (changed.json()["memory"], changed.json()["cpus"]) == (512, 2)
        assert domain.maxMemory() == 512 << 10
        assert client.put(f"/vms/{name}", json={"users": ["root"]}).json()["users"] == ["root"]
        refused_again = client.post(f"/vms/{name}/start")
        assert refused_again.status_code >= 400 and "medium.iso" in refused_again.json()["reason"]

        withdrawn = client.post(f"/vms/{name}/poweroff")
        assert withdrawn.status_code == 200, withdrawn.text
        assert "runStrategy: Halted" in lab.api.text(f"vms/{name}.yaml")
        assert client.post(f"/vms/{name}/poweroff").status_code == 400, "it is off, and nothing else is wanted"
        (closed / "medium.iso").unlink()
        closed.rmdir()
        assert client.get(f"/vms/{name}").json()["state"] == "shutoff", "nobody starts it when the reason is gone"
    finally:
        client.delete(f"/vms/{name}")


def test_a_running_machine_is_removed_at_once_with_its_disks(lab: Lab) -> None:
    name = lab.make()
    lab.api.client.post(f"/vms/{name}/start")
    assert lab.api.client.delete(f"/vms/{name}").status_code == 204
    assert lab.files() == [] and name not in [each.name() for each in lab.hand.listAllDomains()]


def test_a_clone_has_the_data_and_goes_its_own_way(lab: Lab) -> None:
    name = lab.make()
    write(lab.path("vm-disk0.qcow2"), 7)
    answer = lab.api.client.post(f"/vms/{name}/clone")
    assert lab.api.task(answer)["status"] == "finished", lab.api.task(answer)
    assert reads(lab.path("vm-clone-1-disk0.qcow2"), 7)
    write(lab.path("vm-disk0.qcow2"), 9)
    assert reads(lab.path("vm-clone-1-disk0.qcow2"), 7)
    assert lab.api.serving.operations.look_again(None).plan.empty
    started = lab.api.client.post(f"/vms/{name}-clone-1/start")
    assert started.json()["state"] == "running", started.text
    assert lab.api.client.delete(f"/vms/{name}-clone-1").status_code == 204
    assert lab.files() == ["vm-disk0.qcow2"]


def test_a_clone_of_a_disk_that_is_based_on_an_image_stands_alone(lab: Lab) -> None:
    name = lab.make("golden")
    write(lab.path("golden-disk0.qcow2"), 5)
    template = lab.api.text("template.yaml").replace("{size: 1}", f"{{size: 2, base: {name}-disk0.qcow2}}")
    lab.api.repository.commit({"template.yaml": template + "\n"}, "Base it on an image")
    head = lab.api.repository.head
    until(lambda: head in str(lab.api.serving.world.desired.revision), 60, "the commit is read")
    vm = lab.make()
    assert reads(lab.path("vm-disk0.qcow2"), 5)
    assert lab.api.task(lab.api.client.post(f"/vms/{vm}/clone"))["status"] == "finished"
    assert reads(lab.path("vm-clone-1-disk0.qcow2"), 5)
    assert "base" not in lab.api.text(f"vms/{vm}-clone-1.yaml")

    assert lab.api.client.delete(f"/vms/{name}").status_code == 204
    assert "golden-disk0.qcow2" in lab.files(), "it's the base of another machine's disk"
    assert lab.api.client.delete(f"/vms/{vm}").status_code == 204
    assert lab.files() == ["golden-disk0.qcow2", "vm-clone-1-disk0.qcow2"]


def test_a_rename_takes_disks_and_comments_along(lab: Lab) -> None:
    name, new = lab.make(), lab.objects.name("renamed")
    path = f"vms/{name}.yaml"
    lab.api.repository.commit({path: lab.api.text(path).replace("cpus: 1", "cpus: 1  # enough") + "\n"}, "Explain")
    write(lab.path("vm-disk0.qcow2"), 3)
    before = lab.api.client.get(f"/vms/{name}").json()
    answer = lab.api.client.put(f"/vms/{name}", json={"name": new, "cpus": 2})
    assert answer.status_code == 303, answer.text
    after = lab.api.client.get(answer.headers["Location"]).json()
    assert after == {**before, "name": new, "cpus": 2, "cpu_info": {**before["cpu_info"], "vcpus": 2, "maxvcpus": 2}}
    assert lab.api.client.get(f"/vms/{name}").status_code == 404
    assert lab.files() == ["renamed-disk0.qcow2"] and reads(lab.path("renamed-disk0.qcow2"), 3)
    assert "cpus: 2  # enough" in lab.api.text(path)
    assert lab.api.log()[0] == f"Rename machine {name} to {new}"
    assert lab.make() == name, "the old name is free again"
    assert lab.api.client.get(f"/vms/{name}").json()["uuid"] != before["uuid"]


@pytest.mark.parametrize(
    ("system", "target", "chipset"),
    [("osDistro: debian, osVersion: '5.0', ", "dev='hda' bus='ide'", "i440fx"), ("", "dev='vda' bus='virtio'", "q35")],
)
def test_only_a_system_that_is_known_to_be_old_gets_old_devices(
    lab: Lab, system: str, target: str, chipset: str
) -> None:
    template = lab.api.text("template.yaml").replace("osDistro: debian, osVersion: '12', ", system)
    lab.api.repository.commit({"template.yaml": template + "\n"}, "Say which system it is, or nothing")
    head = lab.api.repository.head
    until(lambda: head in str(lab.api.serving.world.desired.revision), 60, "the commit is read")
    name = lab.make()
    xml = lab.hand.lookupByName(name).XMLDesc()
    assert f"<target {target}/>" in xml and chipset in xml
    assert lab.api.client.post(f"/vms/{name}/start").json()["state"] == "running"
    assert lab.api.client.delete(f"/vms/{name}").status_code == 204


def test_files_that_come_and_go_in_an_active_pool_show_at_once(lab: Lab) -> None:
    client, pool = lab.api.client, lab.objects.name("pool")
    lab.make()

    def volumes() -> dict[str, int]:
        found = client.get(f"/storagepools/{pool}/storagevolumes").json()
        return {each["name"].removeprefix(lab.objects.prefix): each["allocation"] for each in found}

    before = volumes()
    looked_at = lab.hand.storagePoolLookupByName(pool).info()
    put = lab.path("put-there.img")
    put.write_bytes(b"x" * 8192)
    until(lambda: volumes() == {**before, "put-there.img": 8192}, 20, "a file that was put there shows")
    put.write_bytes(b"x" * 65536)
    until(lambda: volumes()["put-there.img"] == 65536, 20, "a file that was written to shows as it is")
    put.rename(lab.path("other.img"))
    until(lambda: volumes() == {**before, "other.img": 65536}, 20, "a file that was renamed shows")
    shown = client.get(f"/storagepools/{pool}").json()
    assert shown["nr_volumes"] == len(before) + 1 and shown["capacity"] == looked_at[1]
    lab.path("other.img").unlink()
    until(lambda: volumes() == before, 20, "a file that was taken away is gone")
