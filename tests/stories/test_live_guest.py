"""What a commit changes in a running guest: the guest itself shows it, and it is never rebooted, let alone made anew.

The complaints that these stories answer are named beside them.
"""

from __future__ import annotations

import ipaddress
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest

from specs.effect import Effect
from tests.lab.libvirtd import HostObjects
from tests.lab.live_fields import shows_live
from tests.lab.repositories import Repository
from tests.lab.serial_console import SerialConsole
from tests.lab.waiting import until
from tests.stories.live_guest import LiveGuest, live_guest, networks

MIB = 1 << 20


@pytest.fixture
def guest(
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    repository: Repository,
    guest_base: Path,
    tmp_path: Path,
) -> Iterator[LiveGuest]:
    with live_guest(qemu_system, qemu_connection, host_objects, repository, guest_base, tmp_path / "state") as made:
        yield made


def total_memory_mib(console: SerialConsole) -> int:
    """What the guest's kernel has: all but what it and the balloon keep."""
    return int(console.command("awk '/^MemTotal/ {print $2}' /proc/meminfo")) >> 10


def cpus(console: SerialConsole) -> int:
    return int(console.command("grep -c ^processor /proc/cpuinfo"))


@shows_live("memory", "cpus", "title", "description")
def test_memory_processors_and_words_change_in_a_running_guest(guest: LiveGuest) -> None:
    # dmacvicar/terraform-provider-libvirt#1069: a memory change "forces replacement".
    # dmacvicar/terraform-provider-libvirt#844: vCPU and memory changes force a recreate.
    # bpg/terraform-provider-proxmox#538, #102, #1211, #103; vmware/terraform-provider-vsphere#2170: resizing memory or
    # CPUs reboots, even where hot-add is possible.
    guest.begin(maximumMemory=320, cpus=1, maximumCpus=3, autostart=False)
    with guest.console() as console:
        until(lambda: guest.domain.info()[2] == 192 * 1024, 60, "the guest's balloon driver has done what it was told")
        small = total_memory_mib(console)
        guest.change(memory=288)
        assert guest.domain.info()[2] == 288 * 1024
        assert 80 <= total_memory_mib(console) - small <= 112, "the balloon has given the guest 96 MiB"
        guest.change(memory=160)
        assert 16 <= small - total_memory_mib(console) <= 48, "and has taken more than that back"

        assert cpus(console) == 1
        guest.change(cpus=3)
        until(lambda: cpus(console) == 3, 60, "the guest uses the new processors")

        plan = guest.change(title="New title", description="Two\nlines", autostart=True, memory=192)
        assert [step.effect for step in plan.steps] == [Effect.LIVE]
        for flag in (libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG):
            assert guest.domain.metadata(libvirt.VIR_DOMAIN_METADATA_TITLE, None, flag) == "New title"
            assert guest.domain.metadata(libvirt.VIR_DOMAIN_METADATA_DESCRIPTION, None, flag) == "Two\nlines"
        assert guest.domain.autostart()

        # What can't be done at once waits, and holds up nothing that can.
        waits = guest.apply(cpus=2, memory=256, title="Both", machine="pc-q35-7.1", firmware="uefi", maximumMemory=512)
        assert guest.domain.info()[2] == 256 * 1024
        assert guest.domain.metadata(libvirt.VIR_DOMAIN_METADATA_TITLE, None, libvirt.VIR_DOMAIN_AFFECT_LIVE) == "Both"
        (waiting,) = waits.remaining.waiting
        told = {change.pointer: (change.old, change.new) for change in waiting.changes}
        assert told.keys() == {"/cpus", "/machine", "/firmware", "/maximumMemory"}
        assert (told["/cpus"], told["/maximumMemory"]) == ((3, 2), (320, 512))
        back = {"cpus": 3, "machine": "pc-q35-7.2", "firmware": "bios", "maximumMemory": 320}
        guest.change(title="Still changes", memory=192, **back)

        # vagrant-libvirt/vagrant-libvirt#1812: more memory than the maximum fails in virDomainSetMemory.
        above = guest.apply(memory=512, maximumMemory=512)
        assert {change.pointer for change in above.remaining.waiting[0].changes} == {"/memory", "/maximumMemory"}
        console.command("true")


@shows_live("disks", "disks/size", "cdroms/path")
def test_disks_and_media_come_go_and_grow_in_a_running_guest(guest: LiveGuest, guest_base: Path) -> None:
    # dmacvicar/terraform-provider-libvirt#751: adding a disk recreates the VM and changes its UUID and MACs.
    # dmacvicar/terraform-provider-libvirt#1017, #952, #1325: growing a disk deletes and recreates it.
    # hashicorp/vagrant#11949: a second CD-ROM drive for each change of a medium.
    for word in ("first", "second"):
        _iso(guest_base.parent / f"{word}.iso", word)
    root = guest.spec["disks"][0]
    data: dict[str, Any] = {"name": "data", "size": "64MiB", "pool": guest.pool}
    guest.begin(disks=[root], cdroms=[{"name": "media"}])
    with guest.console() as console:
        guest.change(disks=[root, data])
        until(lambda: console.command("blockdev --getsize64 /dev/vdb") == str(64 * MIB), 60, "the guest has the disk")
        console.command("echo kept across growth | dd of=/dev/vdb conv=fsync")

        bigger = {**data, "size": "96MiB"}
        guest.change(disks=[root, bigger])
        until(lambda: console.command("blockdev --getsize64 /dev/vdb") == str(96 * MIB), 60, "the guest sees the size")
        assert console.command("dd if=/dev/vdb bs=512 count=1 2>/dev/null | head -n 1") == "kept across growth"

        limited = {**bigger, "ioLimits": {"bytesPerSecond": "8MiB", "readIops": 50, "writeIops": 50}}
        guest.change(disks=[root, limited])
        assert _limits(guest, libvirt.VIR_DOMAIN_AFFECT_LIVE) == {
            "total_bytes_sec": 8 * MIB,
            "read_iops_sec": 50,
            "write_iops_sec": 50,
        }
        assert _limits(guest, libvirt.VIR_DOMAIN_AFFECT_CONFIG) == _limits(guest, libvirt.VIR_DOMAIN_AFFECT_LIVE)
        guest.change(disks=[root, {**bigger, "ioLimits": {"writeBytesPerSecond": "4MiB"}}])
        assert _limits(guest, libvirt.VIR_DOMAIN_AFFECT_LIVE) == {"write_bytes_sec": 4 * MIB}
        guest.change(disks=[root, {**bigger, "ioLimits": {}}])
        assert _limits(guest, libvirt.VIR_DOMAIN_AFFECT_LIVE) == _limits(guest, libvirt.VIR_DOMAIN_AFFECT_CONFIG) == {}

        guest.change(disks=[root])
        until(lambda: "gone" in console.command("test -b /dev/vdb || echo gone"), 60, "the guest has let go of it")
        volumes = guest.connection.storagePoolLookupByName(guest.pool).listVolumes()
        assert f"{guest.name}-data.qcow2" in volumes, "its data stays"

        for word in ("first", "second"):
            guest.change(cdroms=[{"name": "media", "path": str(guest_base.parent / f"{word}.iso")}])
            until(
                lambda word=word: (
                    console.command("dd if=/dev/sr0 bs=2048 skip=16 count=1 2>/dev/null | grep -c " + word + " || true")
                    == "1"
                ),
                60,
                f"the guest reads the {word} disc",
            )
        guest.change(cdroms=[{"name": "media"}])
        until(
            lambda: "empty" in console.command("dd if=/dev/sr0 of=/dev/null count=1 2>/dev/null || echo empty"),
            60,
            "the disc is out",
        )
        assert len(guest.live().findall("devices/disk[@device='cdrom']")) == 1


@shows_live("interfaces", "interfaces/network", "interfaces/link")
def test_network_cards_come_go_and_move_in_a_running_guest(
    guest: LiveGuest, repository: Repository, host_objects: HostObjects, free_subnet: ipaddress.IPv4Network
) -> None:
    # AshleyYakeley/NixVirt#9: without a MAC in the definition each change brings another one, and a restart.
    repository.commit(networks(host_objects, free_subnet))
    one, two = host_objects.name("one"), host_objects.name("two")
    lan: dict[str, Any] = {"name": "lan", "network": one}
    guest.begin(interfaces=[lan])
    with guest.console() as console:
        first, second = free_subnet.subnets()
        until(lambda: _address(console, "eth0") in first, 60, "the guest has an address on the first network")
        mac = console.command("cat /sys/class/net/eth0/address")
        assert mac == guest.live().find("devices/interface/mac").get("address")

        guest.change(interfaces=[{**lan, "link": "down"}])
        until(lambda: console.command("cat /sys/class/net/eth0/carrier") == "0", 60, "the cable is out")
        guest.change(interfaces=[{**lan, "link": "up"}])
        until(lambda: console.command("cat /sys/class/net/eth0/carrier") == "1", 60, "the cable is in")

        guest.change(interfaces=[{**lan, "network": two}])
        console.command(
            "ip addr flush dev eth0; udhcpc -i eth0 -n -q -t 30 -T 1 -s /etc/udhcpc.script > /dev/null 2>&1", 60
        )
        assert _address(console, "eth0") in second, "the same card is on the other network"
        assert console.command("cat /sys/class/net/eth0/address") == mac

        spare = {"name": "spare", "network": one}
        guest.change(interfaces=[{**lan, "network": two}, spare])
        until(lambda: console.command("ls /sys/class/net | grep -c eth1 || true") == "1", 60, "a second card")
        guest.change(interfaces=[{**lan, "network": two}])
        until(lambda: console.command("ls /sys/class/net | grep -c eth1 || true") == "0", 60, "it is gone")
        assert console.command("cat /sys/class/net/eth0/address") == mac


def _address(console: SerialConsole, device: str) -> ipaddress.IPv4Address:
    text = console.command(f"ip -4 -o addr show dev {device} | awk '{{print $4}}'")
    return ipaddress.ip_interface(text.split()[0]).ip if text else ipaddress.IPv4Address(0)


def _limits(guest: LiveGuest, flags: int) -> dict[str, int]:
    """The limits of the disk vdb that aren't 0."""
    found = guest.domain.blockIoTune("vdb", flags)
    return {name: value for name, value in found.items() if value and name != "group_name"}


def _iso(path: Path, label: str) -> None:
    """A disc whose label is all that matters."""
    tool = shutil.which("genisoimage") or shutil.which("xorrisofs") or "mkisofs"
    subprocess.run([tool, "-quiet", "-V", label, "-o", path, Path(__file__).parent / "__init__.py"], check=True)
    path.chmod(0o644)
