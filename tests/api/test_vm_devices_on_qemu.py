"""What a machine on the real hypervisor gets and loses while it runs, its snapshots, and the picture of its screen."""

from __future__ import annotations

import io
import ipaddress
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest
import yaml
from lxml import etree
from PIL import Image

from specs.reference import STORAGE_POOL, VIRTUAL_MACHINE, Ref
from tests.api.live import LiveApi, live_api
from tests.api.parts import is_at_rest
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository
from tests.lab.serial_console import SerialConsole
from tests.lab.waiting import until
from tests.stories.live_guest import BASE, BOOT_LIMIT_S, document, networks

pytestmark = pytest.mark.qemu

LABEL = "dd if=/dev/sr0 bs=2048 skip=16 count=1 2>/dev/null | tr -dc A-Z; echo"  # where an ISO image has its name


class Machine:
    """One machine of the API's, on qemu:///system."""

    def __init__(self, api: LiveApi, connection: libvirt.virConnect, objects: HostObjects, folder: Path) -> None:
        self.api, self.connection, self.folder = api, connection, folder
        self.name, self.pool = objects.name("vm"), objects.name("pool")
        self.uri = f"/vms/{self.name}"

    @property
    def domain(self) -> libvirt.virDomain:
        return self.connection.lookupByName(self.name)

    def declare(self, **spec: Any) -> None:
        """Commit its document, and wait until the host is as it says."""
        whole = {"domainType": "emulated", "memory": 192, "runStrategy": "Halted", **spec}
        self.api.repository.commit({"vm.yaml": document("VirtualMachine", self.name, whole)})
        sequence = self.api.agent.queue.source_changed()
        there = self.api.agent.passes.wait(lambda world: world.sequence >= sequence and is_at_rest(world), 60)
        world = self.api.serving.world
        assert there is not None, (world.plan.to_json(), world.busy, world.failing)

    def live(self) -> etree._Element:
        return etree.fromstring(self.domain.XMLDesc())

    def config(self) -> etree._Element:
        return etree.fromstring(self.domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))

    def volume(self, name: str, form: str = "qcow2", size: int = 8 << 20, *, told: bool = True) -> Path:
        """A new volume of the pool. No event tells the agent of it."""
        pool = self.connection.storagePoolLookupByName(self.pool)
        pool.createXML(
            f"<volume><name>{name}</name><capacity>{size}</capacity><target><format type='{form}'/></target></volume>"
        )
        if told:
            self.api.serving.operations.look_again(Ref(STORAGE_POOL, self.pool))
        return self.folder / name

    def get(self, what: str) -> Any:
        return self.api.client.get(f"{self.uri}/{what}").json()


@pytest.fixture
def machine(
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    dir_pool_folder: Path,
    free_subnet: ipaddress.IPv4Network,
    repository: Repository,
    tmp_path: Path,
) -> Iterator[Machine]:
    """A machine before its first commit, with its pool and two networks."""
    pool = document("StoragePool", host_objects.name("pool"), {"type": "dir", "path": str(dir_pool_folder)})
    repository.commit({"pool.yaml": pool, **networks(host_objects, free_subnet)})
    with live_api(repository, tmp_path / "state", qemu_system) as api:
        assert api.agent.passes.wait(is_at_rest, 60) is not None
        yield Machine(api, qemu_connection, host_objects, dir_pool_folder)


def iso(machine: Machine, name: str, text: str) -> Path:
    """An ISO image of one file in the pool's folder, which libvirt hasn't been told of."""
    path, content = machine.folder / name, machine.folder / "content"
    content.write_text(text)
    subprocess.run(
        ["xorriso", "-as", "mkisofs", "-quiet", "-V", text.upper(), "-o", path, content],
        check=True,
        capture_output=True,
    )
    content.unlink()
    return path


def test_drives_and_cards_of_a_running_guest(guest_base: Path, machine: Machine, host_objects: HostObjects) -> None:
    api, client = machine.api, machine.api.client
    machine.volume("data.qcow2", told=False)
    first, second = iso(machine, "first.iso", "first"), iso(machine, "second.iso", "second")
    disk = {"name": "root", "size": "1GiB", "pool": machine.pool, "base": BASE}
    machine.declare(disks=[disk], cdroms=[{}], interfaces=[{"network": host_objects.name("one")}], runStrategy="Always")
    run = machine.domain.ID()
    with SerialConsole("qemu:///system", machine.name) as console:
        console.wait_until_ready(BOOT_LIMIT_S)

        made = client.post(f"{machine.uri}/storages", json={"type": "disk", "pool": machine.pool, "vol": "data.qcow2"})
        assert made.status_code == 201, made.text
        assert made.json()["dev"] == "vdb"
        until(lambda: console.command("cat /sys/block/vdb/size") == str((8 << 20) // 512), 60, "the guest has the disk")
        assert machine.config().find("devices/disk/target[@dev='vdb']") is not None

        for path, label in ((first, "FIRST"), (second, "SECOND")):
            changed = client.put(f"{machine.uri}/storages/sda", json={"path": str(path)})
            assert (changed.status_code, changed.json()["path"]) == (200, str(path)), changed.text
            until(lambda label=label: label in console.command(LABEL), 60, f"the guest reads {label}", every_s=0.5)
        assert client.put(f"{machine.uri}/storages/sda", json={"path": ""}).json()["path"] == ""
        assert client.delete(f"{machine.uri}/storages/sda").status_code == 400

        card = client.post(f"{machine.uri}/ifaces", json={"type": "network", "network": host_objects.name("one")})
        assert card.status_code == 201, card.text
        mac = card.json()["mac"]
        until(lambda: mac in console.command("cat /sys/class/net/*/address"), 60, "the guest has the card")
        moved = client.put(f"{machine.uri}/ifaces/{mac}", json={"network": host_objects.name("two")})
        assert moved.json()["network"] == host_objects.name("two")
        for root in (machine.live(), machine.config()):
            assert root.find(f"devices/interface/mac[@address='{mac}']/../source").get("network").endswith("two")
        assert client.put(f"{machine.uri}/ifaces/{mac}", json={"model": "e1000"}).json()["model"] == "virtio"
        assert machine.config().find(f"devices/interface/mac[@address='{mac}']/../model").get("type") == "e1000"
        assert client.put(f"{machine.uri}/ifaces/{mac}", json={"mac": "52:54:00:aa:bb:cc"}).status_code == 400

        assert client.delete(f"{machine.uri}/storages/vdb").status_code == 204
        assert client.delete(f"{machine.uri}/ifaces/{mac}").status_code == 204
        until(lambda: mac not in console.command("cat /sys/class/net/*/address"), 60, "the guest has lost the card")
        assert "vdb" not in console.command("ls /sys/block")
        assert (machine.folder / "data.qcow2").exists()

        picture = client.get(f"{machine.uri}/screenshot")
        assert max(Image.open(io.BytesIO(picture.content)).size) == 256
    assert machine.domain.ID() == run
    assert len(api.log()) > 8


def test_a_running_machine_without_room_says_what_waits_for_its_next_start(
    machine: Machine, host_objects: HostObjects
) -> None:
    machine.declare(runStrategy="Always", paused=True)
    body = {"type": "network", "network": host_objects.name("one")}
    made = [machine.api.client.post(f"{machine.uri}/ifaces", json=body) for _ in range(2)]
    while made[-1].status_code == 201 and len(made) < 32:
        made.append(machine.api.client.post(f"{machine.uri}/ifaces", json=body))
    assert made[0].status_code == 201, made[0].text
    assert made[-1].status_code == 409
    assert "started the next time" in made[-1].json()["reason"]
    assert len(machine.config().findall("devices/interface")) == len(machine.live().findall("devices/interface")) + 1
    assert len(machine.get("ifaces")) == len(made)


def test_a_running_machine_that_git_does_not_know_is_adopted_as_it_runs(
    machine: Machine, host_objects: HostObjects
) -> None:
    ports = (
        "<controller type='pci' index='0' model='pcie-root'/>" + "<controller type='pci' model='pcie-root-port'/>" * 6
    )
    machine.connection.defineXML(
        f"<domain type='qemu'><name>{machine.name}</name><memory unit='MiB'>64</memory>"
        f"<os><type machine='q35'>hvm</type></os><devices>{ports}"
        "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><target dev='sda' bus='sata'/></disk>"
        "</devices></domain>"
    ).createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    run, client = machine.domain.ID(), machine.api.client
    machine.volume("data.qcow2", told=False)
    machine.api.serving.operations.look_again(Ref(VIRTUAL_MACHINE, machine.name))
    disk = client.post(f"{machine.uri}/storages", json={"type": "disk", "pool": machine.pool, "vol": "data.qcow2"})
    assert (disk.status_code, disk.json()["dev"]) == (201, "vda"), disk.text
    card = client.post(f"{machine.uri}/ifaces", json={"type": "network", "network": host_objects.name("one")})
    assert card.status_code == 201, card.text
    for root in (machine.live(), machine.config()):
        assert root.find("devices/disk/target[@dev='vda']") is not None
        assert root.find(f"devices/interface/mac[@address='{card.json()['mac']}']") is not None
    assert (machine.domain.ID(), machine.domain.state()[0]) == (run, libvirt.VIR_DOMAIN_PAUSED)


def test_a_change_that_the_host_fails_at_is_taken_back(machine: Machine) -> None:
    machine.declare(runStrategy="Always", paused=True, cdroms=[{"name": "media"}])
    text = machine.api.text("vm.yaml")
    nobody = {"path": "http://127.0.0.1:9/none.iso"}  # QEMU opens it at once
    failed = machine.api.client.put(f"{machine.uri}/storages/sda", json=nobody)
    assert failed.status_code in (400, 409, 503), failed.text
    assert machine.get("storages/sda")["path"] == ""
    assert yaml.safe_load(machine.api.text("vm.yaml")) == yaml.safe_load(text)
    assert machine.api.log()[0] == f"Take back: Change the medium in sda of machine {machine.name}"
    assert machine.api.agent.passes.wait(is_at_rest, 60) is not None
    for root in (machine.live(), machine.config()):
        assert root.find("devices/disk[@device='cdrom']/source") is None


def test_a_snapshot_brings_data_and_the_definition_back_and_the_document_has_the_last_word(machine: Machine) -> None:
    api, client = machine.api, machine.api.client
    disk = machine.volume("root.qcow2")
    machine.declare(disks=[{"volume": f"{machine.pool}/root.qcow2"}])
    write(disk, 1)
    assert api.task(client.post(f"{machine.uri}/snapshots", json={"name": "first"}))["status"] == "finished"
    write(disk, 2)
    machine.declare(disks=[{"volume": f"{machine.pool}/root.qcow2"}], memory=256)
    assert machine.domain.maxMemory() >> 10 == 256
    back = client.post(f"{machine.uri}/snapshots/first/revert")
    assert (back.status_code, back.headers["Location"]) == (303, f"{api.url}{machine.uri}/snapshots/first")
    assert api.agent.passes.wait(is_at_rest, 60) is not None
    assert holds(disk, 1)
    assert machine.domain.maxMemory() >> 10 == 256
    assert machine.get("snapshots/current")["name"] == "first"
    assert client.delete(f"{machine.uri}/snapshots/first").status_code == 204
    assert machine.get("snapshots") == []


@pytest.mark.parametrize(("strategy", "runs"), [("Always", True), ("RerunOnFailure", False), ("Manual", False)])
def test_a_running_machine_that_was_put_back_is_as_its_run_strategy_says(
    machine: Machine, strategy: str, runs: bool
) -> None:
    api, client = machine.api, machine.api.client
    machine.volume("root.qcow2")
    disks = [{"volume": f"{machine.pool}/root.qcow2"}]
    machine.declare(disks=disks)
    assert api.task(client.post(f"{machine.uri}/snapshots", json={"name": "off"}))["status"] == "finished"
    machine.declare(disks=disks, runStrategy=strategy)
    if not machine.domain.isActive():
        machine.domain.create()
        api.serving.operations.look_again(None)
    assert client.post(f"{machine.uri}/snapshots/off/revert").status_code == 303
    assert api.agent.passes.wait(is_at_rest, 60) is not None
    assert bool(machine.domain.isActive()) is runs
    assert client.post(f"{machine.uri}/snapshots/off/revert").status_code == 303


def test_a_host_without_iommu_gives_no_pci_device(machine: Machine) -> None:
    machine.declare()
    known = machine.api.serving.hypervisor.devices()
    cards = [each for each in known.of_kind("pci") if known.is_eligible(each) and each.iommu_group is None]
    if not cards:
        pytest.skip("this host has no PCI device, or has an IOMMU")
    refused = machine.api.client.post(f"{machine.uri}/hostdevs", json={"name": cards[0].name})
    assert refused.status_code == 400
    assert refused.json()["reason"].startswith("KCHVMHDEV0003E")
    machine.declare(hostDevices=[{"device": cards[0].name}])
    assert machine.get("hostdevs") == [{"name": cards[0].name, "type": "pci", "actions": []}]
    assert machine.api.client.delete(f"{machine.uri}/hostdevs/{cards[0].name}").status_code == 204
    assert machine.get("hostdevs") == []


def write(path: Path, pattern: int) -> None:
    subprocess.run(["qemu-io", "-c", f"write -P {pattern} 0 64k", path], check=True, capture_output=True)


def holds(path: Path, pattern: int) -> bool:
    done = subprocess.run(["qemu-io", "-r", "-c", f"read -P {pattern} 0 64k", path], capture_output=True, text=True)
    return "Pattern verification failed" not in done.stdout + done.stderr
