"""The rules between the fields of drives: what libvirt would refuse to define, or QEMU to start, is refused offline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from specs.codecs import bytes_of
from specs.virtualmachine.storage.buses import ONLY_ON
from specs.virtualmachine.storage.controller_rules import check_controllers
from specs.virtualmachine.storage.source_rules import check_source

if TYPE_CHECKING:
    from specs.virtualmachine.spec import Cdrom, Disk, Floppy, VirtualMachineSpec

Broken = tuple[str, str]  # JSON pointer into the spec, sentence

_UNCACHED = ("none", "directsync")


def check_drives(spec: VirtualMachineSpec) -> Iterator[Broken]:
    """The rules of each drive by itself, and with the machine around it."""
    for index, disk in enumerate(spec.get("disks", ())):
        for pointer, sentence in _check_disk(disk):
            yield f"/disks/{index}{pointer}", sentence
    for index, drive in enumerate(spec.get("cdroms", ())):
        for pointer, sentence in _check_cdrom(drive):
            yield f"/cdroms/{index}{pointer}", sentence
    yield from _check_floppies(spec.get("floppies", ()))
    yield from _check_threads(spec)
    yield from check_controllers(spec.get("controllers", ()))


def _check_disk(disk: Disk) -> Iterator[Broken]:
    yield from _check_bus(disk, disk.get("bus", "virtio"))
    yield from _check_opening(disk)
    driver: Any = disk.get("driver", {})
    if disk.get("readOnly") and driver.get("copyOnRead"):
        yield "/driver/copyOnRead", "A disk that is read-only keeps nothing that was read; remove one of the two."
    if disk.get("shareable") and disk.get("format", "qcow2" if "size" in disk else "raw") != "raw":
        yield "/shareable", "Several writers destroy an image of this format; write `format: raw`, or remove this."
    if disk.get("transient") and (disk.get("shareable") or disk.get("readOnly")):
        other = "shareable" if disk.get("shareable") else "readOnly"
        yield "/transient", f"What is written is kept apart for one machine alone; remove this or `{other}`."
    yield from _check_powers(disk)
    yield from _check_bursts(disk)
    yield from check_source(disk)


def _check_cdrom(drive: Cdrom) -> Iterator[Broken]:
    yield from _check_bus(drive, drive.get("bus", "sata"))
    yield from _check_opening(drive)


def _check_floppies(floppies: Sequence[Floppy]) -> Iterator[Broken]:
    taken: set[str] = set()
    for index, floppy in enumerate(floppies):
        for pointer, sentence in _check_opening(floppy):
            yield f"/floppies/{index}{pointer}", sentence
        target = floppy.get("target", f"fd{'ab'[index]}")
        if target in taken and "target" not in floppy:  # two that say so are told with all other devices
            yield (
                f"/floppies/{index}",
                f"Another drive is {target}, which this one is by its position; give it a `target`.",
            )
        taken.add(target)


def _check_bus(drive: Any, bus: str) -> Iterator[Broken]:
    for name, buses in ONLY_ON.items():
        if _says(drive, name) and bus not in buses:
            where = " or ".join(sorted(buses))
            yield f"/{name}", f"No drive on the bus {bus} has this; write `bus: {where}`, or remove it."


def _says(drive: Any, name: str) -> bool:
    for key in name.split("/"):
        if key not in drive:
            return False
        drive = drive[key]
    return True


def _check_opening(drive: Any) -> Iterator[Broken]:
    driver = drive.get("driver", {})
    if driver.get("io") == "native" and driver.get("cache") not in _UNCACHED:
        yield "/driver/io", "`native` goes past the host's page cache; write `cache: none` or `cache: directsync` too."


def _check_bursts(disk: Disk) -> Iterator[Broken]:
    """A burst is above a limit, and lasts for a time only where there is one."""
    burst: Any = disk.get("ioBurst", {})
    limits: Any = disk.get("ioLimits", {})
    for word, value in burst.items():
        if word == "seconds":
            continue
        if word not in limits:
            yield f"/ioBurst/{word}", f"There is no limit that it could be above; write `{word}` into `ioLimits` too."
        elif (bytes_of(value) or 0) < (bytes_of(limits[word]) or 0):
            yield f"/ioBurst/{word}", f"This is less than `ioLimits/{word}`; write as much, or more."
    if "ioGroup" in disk and not limits:
        yield "/ioGroup", "A group has limits together, and there are none; write `ioLimits` too."
    for word in burst.get("seconds", {}):
        if word not in burst:
            yield f"/ioBurst/seconds/{word}", f"There is no burst that it could be the length of; write `{word}` too."


def _check_powers(disk: Disk) -> Iterator[Broken]:
    """What counts in powers of two, and is in its order."""
    sizes = disk.get("blockSizes", {})
    places: Sequence[tuple[str, int | None]] = (
        ("/driver/queueSize", disk.get("driver", {}).get("queueSize")),
        ("/blockSizes/logical", sizes.get("logical")),
        ("/blockSizes/physical", sizes.get("physical")),
    )
    for pointer, number in places:
        if number is not None and number & (number - 1):
            yield pointer, f"{number} isn't a power of two; write one such as {1 << number.bit_length() - 1}."
    if sizes.get("physical", 1 << 20) < sizes.get("logical", 512):
        yield "/blockSizes/physical", "This is less than `logical`; write as much, or more."


def _check_threads(spec: VirtualMachineSpec) -> Iterator[Broken]:
    """The I/O threads that drives and controllers name are there; a template may bring them."""
    if "ioThreadPools" in spec or ("template" in spec and "ioThreads" not in spec):
        return
    count = spec.get("ioThreads", 0)
    hung: Sequence[Any] = (*spec.get("disks", ()), *spec.get("controllers", ()))
    for index, each in enumerate(hung):
        number = each.get("driver", {}).get("ioThread", 0)
        if number > count:
            disks = len(spec.get("disks", ()))
            place = f"/disks/{index}" if index < disks else f"/controllers/{index - disks}"
            yield (
                f"{place}/driver/ioThread",
                f"The machine has no I/O thread {number}; write `ioThreads: {number}` too.",
            )
