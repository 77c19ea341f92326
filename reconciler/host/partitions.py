"""The machine's disks and partitions, from lsblk, and which of them nobody uses: those a storage pool may be made on.

When in doubt a partition counts as used, because what is offered here may be written over. A name that somebody asks
for is looked up in the list and reaches no program.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.errors import OnggiError, Transient, Unsupported
from reconciler.host.commands import Finished, Program, run
from specs.plain import Json

LSBLK = Program("lsblk", "util-linux", "list this host's disks")
PVS = Program("pvs", "lvm2", "see which disks belong to a volume group")
TIMEOUT_S = 15.0

# Columns that every lsblk with --json has. With --paths, NAME is the path.
_COLUMNS = "NAME,KNAME,TYPE,FSTYPE,SIZE,MOUNTPOINT,PARTTYPE,RO"
_NONE_OF_THEM = 32  # lsblk's exit code: it found no device at all
_USABLE_TYPES = frozenset({"part", "disk", "mpath"})
_NO_DISKS = frozenset({"rom", "loop"})
_LVM_MEMBER = "LVM2_member"
_MEMORY_DISKS = ("zram", "ram")
# Types of partitions that hold no file system and yet aren't free.
_SYSTEM_PARTITIONS = frozenset(
    {
        "0x5", "0xf", "0x85",  # extended: a box of other partitions
        "0x41", "9e1a2d38-c612-4316-aa26-8b49521e5a8b",  # PReP boot, of POWER machines
        "0xef", "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",  # EFI
        "21686148-6449-6e6f-744e-656564454649",  # BIOS boot, where GRUB has its core
        "e3c9e316-0b5c-4db8-817d-f92df00215ae",  # Microsoft reserved
    }
)  # fmt: skip
_UDEV_DATABASE = Path("/run/udev/data")


@dataclass(frozen=True, slots=True)
class Partition:
    """A disk or a part of one. `size` is in bytes, as text; `mountpoint` and `fstype` are empty where it has none."""

    name: str  # the path's last part: sda1, mpatha
    path: str
    type: str  # lsblk's word: disk, part, lvm, mpath, crypt, raid1, rom, loop, ...
    fstype: str
    size: str
    mountpoint: str
    available: bool


@dataclass(frozen=True, slots=True)
class Partitions:
    """All partitions by path. `reasons` are sentences on what couldn't be found out."""

    all: tuple[Partition, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def available(self) -> tuple[Partition, ...]:
        """Those that nobody uses."""
        return tuple(each for each in self.all if each.available)

    @property
    def shown(self) -> tuple[Partition, ...]:
        """Those that an API shows: not drives for discs, files that are mounted, nor memory."""
        return tuple(
            each for each in self.all if each.type not in _NO_DISKS and not each.name.startswith(_MEMORY_DISKS)
        )

    def get(self, name: str) -> Partition | None:
        """The partition of this name that is shown."""
        return next((each for each in self.shown if each.name == name), None)


Run = Callable[..., Finished]


def partitions(run: Run = run, *, contents_show: Callable[[], bool] | None = None) -> Partitions:
    """What is there now. Empty, with the reason, where lsblk is missing; raises Transient when it fails, as while a
    partition table is being written, or is too slow.
    """
    try:
        finished = run(LSBLK, ["--json", "--bytes", "--paths", "--output", _COLUMNS], timeout_s=TIMEOUT_S)
    except Unsupported as error:
        return Partitions(reasons=(str(error),))
    if finished.code not in (0, _NONE_OF_THEM):
        raise Transient(f"lsblk couldn't list this host's disks: {finished.reason}; ask again in a moment.")
    nodes = _nodes(finished.output)
    reasons: list[str] = []
    visible = (contents_show or _contents_show)()
    if not visible:
        reasons.append("What is on the disks doesn't show, so none counts as free; run onggi as root, or with udev.")
    ungrouped = frozenset[str]()
    if any(node.get("fstype") == _LVM_MEMBER for node in nodes):
        ungrouped = _outside_of_groups(run, reasons)
    found: dict[str, Partition] = {}
    for node in nodes:  # what has several parents, as multipath, is there several times
        found.setdefault(str(node.get("kname") or node["name"]), _partition(node, ungrouped, visible=visible))
    return Partitions(tuple(sorted(found.values(), key=lambda each: each.path)), tuple(reasons))


def _contents_show() -> bool:
    """Whether lsblk tells a disk with a file system from an empty one: it asks udev, or reads the disk itself."""
    return os.geteuid() == 0 or _UDEV_DATABASE.is_dir()


def _nodes(output: str) -> list[Json]:
    """Every node of lsblk's tree. Raises Transient for anything else than such a tree."""
    if not output.strip():
        return []  # how old ones say that there is none
    try:
        return list(_walk(json.loads(output)["blockdevices"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Transient("lsblk's list of this host's disks can't be understood; ask again in a moment.") from None


def _walk(nodes: Any) -> Iterator[Json]:
    for node in nodes:
        if not isinstance(node["name"], str) or not node["name"].startswith("/"):
            raise ValueError(node["name"])
        yield node
        yield from _walk(node.get("children") or ())


def _partition(node: Json, ungrouped: frozenset[str], *, visible: bool) -> Partition:
    path, kind, fstype = node["name"], _word(node, "type"), _word(node, "fstype")
    size, mountpoint = _word(node, "size"), _word(node, "mountpoint")
    name = path.rpartition("/")[2]
    free = fstype == "" or (fstype == _LVM_MEMBER and path in ungrouped)
    return Partition(
        name=name,
        path=path,
        type=kind,
        fstype=fstype,
        size=size or "0",
        mountpoint="" if mountpoint.startswith("[") else mountpoint,  # [SWAP] is no place
        available=visible
        and free
        and kind in _USABLE_TYPES
        and not mountpoint
        and not node.get("children")
        and _word(node, "parttype") not in _SYSTEM_PARTITIONS
        and size not in ("", "0")  # a reader without a card
        and _word(node, "ro") in ("", "0", "False")
        and not name.startswith(_MEMORY_DISKS),
    )


def _word(node: Json, column: str) -> str:
    """A column as text: lsblk's older versions quote the numbers."""
    value = node.get(column)
    return "" if value is None else str(value)


def _outside_of_groups(run: Run, reasons: list[str]) -> frozenset[str]:
    """The physical volumes that are in no volume group."""
    try:
        finished = run(PVS, ["--reportformat", "json", "--options", "pv_name,vg_name"], timeout_s=TIMEOUT_S)
        if finished.code != 0:
            raise Transient(f"pvs couldn't tell which disks belong to volume groups: {finished.reason}.")
        volumes = [volume for report in json.loads(finished.output)["report"] for volume in report["pv"]]
        return frozenset(volume["pv_name"] for volume in volumes if not volume["vg_name"])
    except OnggiError as error:
        reasons.append(f"LVM's disks count as used: {error}")
    except (ValueError, TypeError, KeyError):
        reasons.append("LVM's disks count as used: pvs gave an answer that can't be understood.")
    return frozenset()
