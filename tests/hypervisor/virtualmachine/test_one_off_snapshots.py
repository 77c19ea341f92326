"""Snapshots: kept in the disks of a machine that is off, listed, put back, deleted without their children."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import libvirt
import pytest

from reconciler.errors import NotFound, Refused
from reconciler.hypervisor import Hypervisor
from reconciler.planning.one_off import CreateSnapshot, DeleteSnapshot, RevertSnapshot
from reconciler.planning.operations import Start
from specs.reference import Ref
from tests.hypervisor.conftest import Made, empty_volume, machine
from tests.lab.libvirtd import HostObjects

DISK = """<disk type='file' device='disk'><driver name='qemu' type='{form}'/><source file='{path}'/>
  <target dev='sda' bus='usb'/></disk>"""
CDROM = "<disk type='file' device='cdrom'><target dev='hda' bus='ide'/><readonly/></disk>"
USB = "<controller type='usb' model='qemu-xhci'/>"


@pytest.fixture
def with_disk(qemu_host: Hypervisor, host_objects: HostObjects, pool: str, dir_pool_folder: Path) -> Made:
    """A machine that is off, with one qcow2 disk and an empty CD drive."""
    qemu_host.perform(empty_volume(pool, "root"))
    made = machine(
        host_objects.name("web"), devices=USB + DISK.format(form="qcow2", path=dir_pool_folder / "root") + CDROM
    )
    qemu_host.perform(made.define)
    return made


def names(host: Hypervisor, made: Made) -> list[str]:
    return [each.name for each in host.snapshots(made.ref)]


def write(path: Path, pattern: int) -> None:
    subprocess.run(["qemu-io", "-c", f"write -P {pattern} 0 64k", path], check=True, capture_output=True)


def holds(path: Path, pattern: int) -> bool:
    done = subprocess.run(["qemu-io", "-r", "-c", f"read -P {pattern} 0 64k", path], capture_output=True, text=True)
    return "Pattern verification failed" not in done.stdout + done.stderr


@pytest.mark.qemu
def test_a_snapshot_brings_the_data_of_its_time_back(
    qemu_host: Hypervisor, with_disk: Made, dir_pool_folder: Path
) -> None:
    disk = dir_pool_folder / "root"
    write(disk, 1)
    qemu_host.perform(CreateSnapshot(with_disk.ref, "first"))
    write(disk, 2)
    qemu_host.perform(CreateSnapshot(with_disk.ref, "zweiter Stand ü"))
    first, second = qemu_host.snapshots(with_disk.ref)
    assert (first.name, first.parent, first.state, first.current) == ("first", "", "shutoff", False)
    assert (second.name, second.parent, second.current) == ("zweiter Stand ü", "first", True)
    assert second.created >= first.created > 1_600_000_000

    qemu_host.perform(RevertSnapshot(with_disk.ref, "first"))
    assert holds(disk, 1)
    assert [each.name for each in qemu_host.snapshots(with_disk.ref) if each.current] == ["first"]


@pytest.mark.qemu
def test_deleting_a_snapshot_keeps_its_children(qemu_host: Hypervisor, with_disk: Made) -> None:
    for name in ("a", "b", "c"):
        qemu_host.perform(CreateSnapshot(with_disk.ref, name))
    qemu_host.perform(DeleteSnapshot(with_disk.ref, "b"))
    assert {each.name: each.parent for each in qemu_host.snapshots(with_disk.ref)} == {"a": "", "c": "a"}


@pytest.mark.qemu
def test_a_machine_that_runs_is_kept_with_its_memory_and_put_back_from_off(
    qemu_host: Hypervisor, with_disk: Made, qemu_connection: libvirt.virConnect
) -> None:
    qemu_host.perform(Start(with_disk.ref, paused=True))
    qemu_host.perform(CreateSnapshot(with_disk.ref, "live"))
    (live,) = qemu_host.snapshots(with_disk.ref)
    assert (live.state, live.current) == ("paused", True)
    domain = qemu_connection.lookupByName(with_disk.ref.name)
    domain.destroy()
    qemu_host.perform(RevertSnapshot(with_disk.ref, "live"))
    assert domain.state()[0] == libvirt.VIR_DOMAIN_PAUSED
    qemu_host.perform(DeleteSnapshot(with_disk.ref, "live"))
    assert names(qemu_host, with_disk) == []


@pytest.mark.qemu
def test_a_machine_that_runs_without_a_disk_has_no_place_for_its_memory(
    qemu_host: Hypervisor, host_objects: HostObjects
) -> None:
    made = machine(host_objects.name("bare"))
    qemu_host.perform(made.define)
    qemu_host.perform(Start(made.ref, paused=True))
    with pytest.raises(Refused, match="shut it down") as refused:
        qemu_host.perform(CreateSnapshot(made.ref, "live"))
    assert refused.value.reason == "NotWhileRunning"


@pytest.mark.qemu
def test_a_machine_that_runs_can_be_put_back(
    qemu_host: Hypervisor, with_disk: Made, qemu_connection: libvirt.virConnect
) -> None:
    qemu_host.perform(CreateSnapshot(with_disk.ref, "off"))
    qemu_host.perform(Start(with_disk.ref, paused=True))
    qemu_host.perform(RevertSnapshot(with_disk.ref, "off"))
    assert not qemu_connection.lookupByName(with_disk.ref.name).isActive()


@pytest.mark.qemu
def test_a_disk_that_cannot_hold_a_snapshot_is_named(
    qemu_host: Hypervisor, host_objects: HostObjects, pool: str, dir_pool_folder: Path
) -> None:
    qemu_host.perform(empty_volume(pool, "raw", form="raw"))
    made = machine(host_objects.name("raw"), devices=USB + DISK.format(form="raw", path=dir_pool_folder / "raw"))
    qemu_host.perform(made.define)
    with pytest.raises(Refused, match="sda") as refused:
        qemu_host.perform(CreateSnapshot(made.ref, "first"))
    assert refused.value.reason == "DiskNotSnapshotable"


@pytest.mark.qemu
def test_a_name_that_is_taken_is_refused(qemu_host: Hypervisor, with_disk: Made) -> None:
    qemu_host.perform(CreateSnapshot(with_disk.ref, "first"))
    with pytest.raises(Refused) as refused:
        qemu_host.perform(CreateSnapshot(with_disk.ref, "first"))
    assert refused.value.reason == "SnapshotExists"


@pytest.mark.parametrize("name", ["", "  ", "../../etc/x", ".hidden", "a\nb", "a\0b", "n" * 201])
def test_a_name_that_could_be_something_else_is_refused(test_host: Hypervisor, name: str) -> None:
    made = machine("web", kind="test")
    test_host.perform(made.define)
    with pytest.raises(Refused) as refused:
        test_host.perform(CreateSnapshot(made.ref, name))
    assert refused.value.reason == "InvalidName"


@pytest.mark.parametrize("operation", [RevertSnapshot, DeleteSnapshot])
def test_a_snapshot_that_is_not_there_is_not_found(
    test_host: Hypervisor, operation: Callable[[Ref, str], RevertSnapshot | DeleteSnapshot]
) -> None:
    made = machine("web", kind="test")
    test_host.perform(made.define)
    with pytest.raises(NotFound) as missing:
        test_host.perform(operation(made.ref, "gone"))
    assert missing.value.reason == "SnapshotNotFound"
    with pytest.raises(NotFound) as missing:
        test_host.perform(operation(Ref("VirtualMachine", "nobody"), "gone"))
    assert missing.value.reason == ""
    with pytest.raises(NotFound):
        test_host.snapshots(Ref("VirtualMachine", "nobody"))


def test_the_test_driver_has_snapshots_too(test_host: Hypervisor) -> None:
    made = machine("web", kind="test")
    test_host.perform(made.define)
    assert test_host.snapshots(made.ref) == ()
    for name in ("a", "b"):
        test_host.perform(CreateSnapshot(made.ref, name))
    test_host.perform(RevertSnapshot(made.ref, "a"))
    assert [(each.name, each.current) for each in test_host.snapshots(made.ref)] == [("a", True), ("b", False)]
    test_host.perform(DeleteSnapshot(made.ref, "a"))
    assert [(each.name, each.parent) for each in test_host.snapshots(made.ref)] == [("b", "")]
