"""What this machine lives on is no pool's and no virtual machine's."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import Terminal
from reconciler.host import own_devices
from reconciler.host.own_devices import own_use
from reconciler.hypervisor.storagepool.own_devices import check_pool_devices
from reconciler.hypervisor.storagevolume.own_devices import check_volume_device
from reconciler.hypervisor.virtualmachine.own_devices import check_machine_devices
from specs.binding import parse

DISK, PARTITION, CRYPT, SWAP, FREE = (240, 64), (240, 65), (252, 77), (240, 66), (240, 99)


@pytest.fixture
def devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A disk with a partition, on which an encrypted file system is mounted, and with another one for swap."""
    folder = Path("/dev/shm") / f"onggi-{tmp_path.name}-{os.getpid()}"  # nodes for looking at: nothing drives them
    folder.mkdir()
    numbers = {"disk": DISK, "part": PARTITION, "crypt": CRYPT, "swap": SWAP, "free": FREE}
    for name, number in numbers.items():
        os.mknod(folder / name, 0o600 | stat.S_IFBLK, os.makedev(*number))
    block = tmp_path / "block"
    for inner in (PARTITION, SWAP):
        part = block / f"{DISK[0]}:{DISK[1]}" / f"disk{inner[1]}"
        part.mkdir(parents=True)
        (part / "partition").write_text("1\n")
        (part / "dev").write_text(f"{inner[0]}:{inner[1]}\n")
    holder = block / f"{PARTITION[0]}:{PARTITION[1]}" / "holders/dm-7"
    holder.mkdir(parents=True)
    (holder / "dev").write_text(f"{CRYPT[0]}:{CRYPT[1]}\n")
    mounts = f"1 0 {CRYPT[0]}:{CRYPT[1]} / /srv/our\\040files rw - ext4 /dev/mapper/x rw\n"
    (tmp_path / "mounts").write_text(f"{mounts}2 0 0:21 / /proc rw - proc proc rw\n")
    (tmp_path / "swaps").write_text(f"Filename Type Size Used Priority\n{folder}/swap partition 1 0 -2\n")
    for name, path in (("_BLOCK", block), ("_MOUNTS", tmp_path / "mounts"), ("_SWAPS", tmp_path / "swaps")):
        monkeypatch.setattr(own_devices, name, path)
    yield folder
    for each in folder.iterdir():
        each.unlink()
    folder.rmdir()


def test_a_device_is_used_by_what_lies_on_it(devices: Path) -> None:
    assert own_use(devices / "crypt") == "it is mounted at /srv/our files"
    assert own_use(devices / "part") == own_use(devices / "disk") == "what lies on it is mounted at /srv/our files"
    assert own_use(devices / "swap") == "the host swaps to it"
    assert own_use(devices / "free") == own_use(devices / "nothing") == own_use("/etc/hostname") == ""
    assert own_use(devices / "crypt", but_for="/srv/our files") == ""


def pool(kind: str, device: object, target: str = "/srv/pool") -> str:
    source = f"<source><device path='{device}'/></source>"
    return f"<pool type='{kind}'><name>p</name>{source}<target><path>{target}</path></target></pool>"


@pytest.mark.parametrize("name", ["disk", "part", "crypt", "swap"])
def test_no_pool_is_made_on_one(devices: Path, name: str) -> None:
    for kind in ("fs", "disk"):
        with pytest.raises(Terminal, match="choose a device of its own"):
            check_pool_devices(parse(pool(kind, devices / name)))
    alias = devices / "alias"
    alias.symlink_to(devices / name)
    with pytest.raises(Terminal, match="choose a device of its own"):
        check_pool_devices(parse(pool("fs", alias)))


def test_a_file_system_that_is_mounted_as_the_pool_and_a_free_device_are_fine(devices: Path, tmp_path: Path) -> None:
    check_pool_devices(parse(pool("fs", devices / "crypt", "/srv/our files")))
    check_pool_devices(parse(pool("disk", devices / "free")))
    check_pool_devices(parse(pool("logical", devices / "part")))
    (tmp_path / "file.img").touch()
    with pytest.raises(Terminal, match="is no device"):
        check_pool_devices(parse(pool("fs", tmp_path / "file.img")))


def test_no_machine_gets_one_that_it_doesn_t_have(devices: Path) -> None:
    def machine(name: str, attribute: str = "dev") -> str:
        return f"<domain><devices><disk><source {attribute}='{devices}/{name}'/></disk></devices></domain>"

    for name in ("disk", "crypt", "swap"):
        for attribute in ("dev", "file"):
            with pytest.raises(Terminal, match="can't be a machine's"):
                check_machine_devices(parse(machine(name, attribute)), lambda: parse(machine("free")))
        check_machine_devices(parse(machine(name)), lambda: parse(machine(name)))  # noqa: B023
        with pytest.raises(Terminal, match="stays as it is"):
            check_volume_device(f"{devices}/{name}")
    check_machine_devices(parse(machine("free")), lambda: None)
    check_volume_device(f"{devices}/free")
