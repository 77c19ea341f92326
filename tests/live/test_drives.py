"""What QEMU saw of a change of a drive."""

from __future__ import annotations

from typing import Any

from tests.lab.live_fields import shows_live
from tests.live.machine import LiveMachine


def limits(machine: LiveMachine) -> dict[str, int]:
    """QEMU's limits of the only disk: those that aren't 0."""
    (disk,) = (each for each in machine.ask("query-block") if "virtio" in each["qdev"])
    words = ("bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr")
    return {word: disk["inserted"][word] for word in words if disk["inserted"][word]}


@shows_live("disks/ioLimits")
def test_qemu_holds_a_disk_to_its_limits(machine: LiveMachine) -> None:
    root: dict[str, Any] = {"name": "root", "size": "16MiB", "pool": machine.pool}
    machine.start(disks=[root])
    machine.change(disks=[{**root, "ioLimits": {"bytesPerSecond": 8192, "readIops": 50, "writeIops": 40}}])
    assert limits(machine) == {"bps": 8192, "iops_rd": 50, "iops_wr": 40}
    machine.change(disks=[{**root, "ioLimits": {"readBytesPerSecond": 4096, "writeBytesPerSecond": 1024, "iops": 70}}])
    assert limits(machine) == {"bps_rd": 4096, "bps_wr": 1024, "iops": 70}


@shows_live(
    "disks/ioBurst/bytesPerSecond",
    "disks/ioBurst/readBytesPerSecond",
    "disks/ioBurst/writeBytesPerSecond",
    "disks/ioBurst/iops",
    "disks/ioBurst/readIops",
    "disks/ioBurst/writeIops",
    "disks/ioBurst/seconds/bytesPerSecond",
    "disks/ioBurst/seconds/readBytesPerSecond",
    "disks/ioBurst/seconds/writeBytesPerSecond",
    "disks/ioBurst/seconds/iops",
    "disks/ioBurst/seconds/readIops",
    "disks/ioBurst/seconds/writeIops",
    "disks/ioSize",
    "disks/ioGroup",
)
def test_qemu_lets_a_disk_burst_for_a_time(machine: LiveMachine) -> None:
    root: dict[str, Any] = {"name": "root", "size": "16MiB", "pool": machine.pool}
    machine.start(disks=[root])
    both = {"bytesPerSecond": 8192, "iops": 50}
    burst = {"bytesPerSecond": 65536, "iops": 400, "seconds": {"bytesPerSecond": 3, "iops": 4}}
    limited = {**root, "ioLimits": both, "ioBurst": burst, "ioSize": "4KiB", "ioGroup": "slow"}
    machine.change(disks=[limited])
    (disk,) = (each for each in machine.ask("query-block") if "virtio" in each["qdev"])
    said = disk["inserted"]
    assert (said["bps_max"], said["bps_max_length"], said["iops_max"], said["iops_max_length"]) == (65536, 3, 400, 4)
    assert (said["iops_size"], said["group"]) == (4096, "slow")
    machine.start(disks=[root])
    each = {"readBytesPerSecond": 8192, "writeBytesPerSecond": 4096, "readIops": 50, "writeIops": 40}
    faster = {word: limit * 2 for word, limit in each.items()}
    machine.change(disks=[{**root, "ioLimits": each, "ioBurst": {**faster, "seconds": dict.fromkeys(each, 5)}}])
    (disk,) = (each for each in machine.ask("query-block") if "virtio" in each["qdev"])
    said = disk["inserted"]
    assert [said[f"{word}_max"] for word in ("bps_rd", "bps_wr", "iops_rd", "iops_wr")] == [16384, 8192, 100, 80]
    assert {said[f"{word}_max_length"] for word in ("bps_rd", "bps_wr", "iops_rd", "iops_wr")} == {5}


def media(machine: LiveMachine) -> list[str]:
    """The files of QEMU's drives for CDs."""
    files = [each["inserted"]["file"] for each in machine.ask("query-block") if "inserted" in each]
    return sorted(file.rpartition("/")[2] for file in files if file.endswith(".iso"))


@shows_live("cdroms", "cdroms/volume")
def test_a_drive_comes_with_its_medium_and_an_empty_one_gets_one(machine: LiveMachine) -> None:
    disk = {"name": "root", "size": "16MiB", "pool": machine.pool, "bus": "scsi"}
    pool = machine.guest.connection.storagePoolLookupByName(machine.pool)
    for name in ("one", "two"):
        pool.createXML(
            f"<volume><name>{name}.iso</name><capacity>4096</capacity><target><format type='iso'/></target></volume>"
        )
    machine.start(disks=[disk], cdroms=[{"name": "first"}])
    first = {"name": "first", "volume": f"{machine.pool}/one.iso"}
    machine.change(cdroms=[first])
    assert media(machine) == ["one.iso"]
    machine.change(cdroms=[first, {"name": "second", "bus": "scsi", "volume": f"{machine.pool}/two.iso"}])
    assert media(machine) == ["one.iso", "two.iso"]


@shows_live("disks/startupPolicy", "disks/snapshot", "cdroms/startupPolicy")
def test_libvirt_knows_what_the_next_start_or_snapshot_does_with_a_drive(machine: LiveMachine) -> None:
    root: dict[str, Any] = {"name": "root", "size": "16MiB", "pool": machine.pool, "bus": "scsi"}
    machine.start(disks=[root], cdroms=[{"name": "first", "bus": "scsi", "volume": f"{machine.pool}/one.iso"}])
    machine.change(disks=[{**root, "startupPolicy": "optional", "snapshot": "external"}])
    disk = "devices/disk[@device='disk']"
    assert (
        machine.live(f"{disk}/source/@startupPolicy") == machine.config(f"{disk}/source/@startupPolicy") == "optional"
    )
    assert machine.live(f"{disk}/@snapshot") == machine.config(f"{disk}/@snapshot") == "external"
    policy = {"name": "first", "bus": "scsi", "volume": f"{machine.pool}/one.iso", "startupPolicy": "requisite"}
    machine.change(cdroms=[policy])
    assert machine.live("devices/disk[@device='cdrom']/source/@startupPolicy") == "requisite"


@shows_live("floppies/volume", "floppies/path", "floppies/startupPolicy")
def test_a_floppy_drive_gets_another_medium(machine: LiveMachine) -> None:
    disk = {"name": "root", "size": "16MiB", "pool": machine.pool, "bus": "scsi"}
    machine.start(machine="pc", disks=[disk], floppies=[{"target": "fda"}])
    pool = machine.guest.connection.storagePoolLookupByName(machine.pool)
    for name in ("three", "four"):
        pool.createXML(f"<volume><name>{name}.img</name><capacity>1474560</capacity></volume>")
    machine.change(floppies=[{"volume": f"{machine.pool}/three.img"}])
    machine.change(floppies=[{"volume": f"{machine.pool}/four.img", "startupPolicy": "optional"}])
    files = [each["inserted"]["file"] for each in machine.ask("query-block") if "inserted" in each]
    assert [file for file in files if file.endswith("/four.img")]
    assert machine.live("devices/disk[@device='floppy']/source/@startupPolicy") == "optional"
    pool = machine.guest.connection.storagePoolLookupByName(machine.pool)
    third = pool.storageVolLookupByName("three.img").path()
    machine.change(floppies=[{"path": third}])
    assert third in {each["inserted"]["file"] for each in machine.ask("query-block") if "inserted" in each}
