"""What keeps a machine's state from being kept inside its disks' images, by its definition.

One rule for who is asked for a snapshot and for who makes it: a client hears at once what a task could only fail at.
Whatever else QEMU can't keep of a running machine, only QEMU can say.
"""

from __future__ import annotations

from typing import NamedTuple

from specs.binding import Element, text_at

_REMOVABLE = frozenset({"cdrom", "floppy"})
_BOUND = frozenset({"pci", "mdev"})  # kinds of host devices whose state QEMU can't keep


class Hindrance(NamedTuple):
    """`reason` is DiskNotSnapshotable or NotWhileRunning."""

    reason: str
    sentence: str


def hindrance(root: Element, name: str, *, running: bool) -> Hindrance | None:
    """Why there can be no snapshot of a machine whose definition is `root`; None when nothing is known against it."""
    forms = dict(_formats(root))
    if unable := [target for target, form in forms.items() if form != "qcow2"]:
        told = f"{name} has disks that can't hold a snapshot, {', '.join(unable)}; convert them to qcow2."
        return Hindrance("DiskNotSnapshotable", told)
    if not running:
        return None
    if not forms:
        told = f"{name} runs, and has no disk in which its memory could be kept; shut it down, or add one in qcow2."
        return Hindrance("NotWhileRunning", told)
    if any(device.get("type") in _BOUND for device in root.iterfind("devices/hostdev")):
        told = f"{name} runs with a device of the host, whose state can't be kept; shut it down or detach that first."
        return Hindrance("NotWhileRunning", told)
    return None


def _formats(root: Element) -> list[tuple[str, str]]:
    """The format of each disk, by its device name."""
    return [
        (text_at(disk, "target/@dev") or "a disk", text_at(disk, "driver/@type") or "raw")
        for disk in root.iterfind("devices/disk")
        if disk.get("device", "disk") not in _REMOVABLE
    ]
