"""What disks and CD-ROM drives share: bus, target device name, and pairing by rules of falling certainty."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from lxml import etree

from specs.binding import Around, Element, child_at
from specs.bound import bound_to, never_beside
from specs.declared_binds import binder
from specs.effect import Effect
from specs.virtualmachine.storage.buses import NEVER_READ_ONLY, lacks_ide
from specs.virtualmachine.storage.fields import DISK

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredCdrom, LoweredDisk, LoweredVirtualMachine

bind = binder(DISK)

_PREFIX = {"virtio": "vd", "scsi": "sd", "sata": "sd", "usb": "sd", "ide": "hd", "fdc": "fd", "xen": "xvd"}
HOT_PLUGGED = frozenset({"virtio", "scsi", "usb"})  # the buses on which a drive comes and goes in a running machine


def plug_effect(default_bus: str) -> Callable[[Any, Any], Effect]:
    """The effect of a drive that comes or goes, `default_bus` being what an undeclared bus means."""

    def effect(old: LoweredDisk | LoweredCdrom | None, new: LoweredDisk | LoweredCdrom | None) -> Effect:
        """Live on the buses virtio, scsi and usb; next boot on the others."""
        drive = new or old
        bus = drive.get("bus", default_bus) if drive else default_bus
        return Effect.LIVE if bus in HOT_PLUGGED else Effect.NEXT_BOOT

    return effect


def place_on_bus(root: Element, drive: Element, bus: str, target: str, declared: LoweredVirtualMachine) -> None:
    """Give a new drive its bus and device name; without a declared `target` the first that nobody has or declares."""
    taken = {each.get("dev") for each in root.iterfind("devices/disk/target")} | set(_declared_targets(declared))
    etree.SubElement(drive, "target", dev=target or free_target(bus, taken), bus=bus)
    if target:
        _displace_others(drive, target)
    _make_room(root, bus)


def _put_bus(drive: Element, bus: str) -> None:
    root = drive.getroottree().getroot()
    target = child_at(drive, "target")
    target.set("bus", bus)
    if bus not in ("virtio", "scsi"):
        as_plain_disk(drive)
    _forget_address(drive)
    if not (target.get("dev") or "").startswith(_PREFIX.get(bus, "")):
        others = {each.get("dev") for each in root.iterfind("devices/disk/target") if each is not target}
        target.set("dev", free_target(bus, others))
    _make_room(root, bus)


def as_plain_disk(drive: Element) -> None:
    """Of a LUN that is passed through, the same data without the device's own commands."""
    if drive.get("device") == "lun":
        drive.set("device", "disk")
    never_beside("@sgio", "@rawio", "source/reservations").leave(drive, None)


def move_to_sata(root: Element) -> None:
    """Put what is on IDE on SATA, under the same device names where those are free there."""
    drives = {bus: [each for each in root.iterfind("devices/disk") if BUS.read(each) == bus] for bus in ("ide", "sata")}
    taken = {_place(drive) for drive in drives["sata"]}
    for drive in drives["ide"]:
        name = TARGET.read(drive)
        if _place(drive) in taken:
            free = {f"sd{place}" for place in taken} | {
                each.get("dev") for each in root.iterfind("devices/disk/target")
            }
            name = free_target("sata", free)
        BUS.write(drive, "sata")
        child_at(drive, "target").set("dev", name)
        taken.add(_place(drive))


def _place(drive: Element) -> str:
    """The letters of a device name, from which libvirt derives the place on the bus."""
    return str(TARGET.read(drive) or "")[2:]


def _put_target(drive: Element, name: str) -> None:
    target = child_at(drive, "target")
    target.set("dev", name)
    _forget_place(drive)
    _displace_others(drive, name)
    _make_room(drive.getroottree().getroot(), target.get("bus") or "")


def _displace_others(drive: Element, name: str) -> None:
    """A device name exists once: whoever has it without having declared it takes another."""
    targets = drive.getroottree().findall("devices/disk/target")
    for target in targets:
        other = target.getparent()
        if target.get("dev") == name and other is not None and other is not drive:
            target.set("dev", free_target(target.get("bus") or "", {each.get("dev") for each in targets}))
            _forget_place(other)


def _forget_place(drive: Element) -> None:
    """Drop an address on a drive bus, which libvirt derives from the device name."""
    address = drive.find("address")
    if address is not None and address.get("type") == "drive":
        _forget_address(drive)


def _forget_address(drive: Element) -> None:
    for address in drive.findall("address"):
        drive.remove(address)


def _make_room(root: Element, bus: str) -> None:
    """On the SCSI bus a drive's place follows from its name: a host device that libvirt placed there has to yield."""
    if bus == "usb":
        allow_usb(root)
    if bus != "scsi":
        return
    for device in root.iterfind("devices/hostdev[@type='scsi']"):
        _forget_place(device)
    # libvirt's own choice for x86 would be an emulated LSI card, for which today's guests have no driver.
    if root.find("devices/controller[@type='scsi']") is None:
        etree.SubElement(child_at(root, "devices"), "controller", type="scsi", model="virtio-scsi")


def allow_usb(root: Element) -> None:
    """Take back what says that the machine has no USB at all; libvirt then adds a controller."""
    never_beside("/devices/controller[@type='usb'][@model='none']").leave(root, None)


def _declared_targets(declared: LoweredVirtualMachine) -> Iterator[str]:
    for drive in (*declared.get("disks", ()), *declared.get("cdroms", ())):
        if "target" in drive:
            yield drive["target"]


def free_target(bus: str, taken: set[str | None] | set[str]) -> str:
    """The first device name of the bus that isn't taken: vda, vdb, ..."""
    prefix = _PREFIX.get(bus, "sd")
    return next(name for index in count() if (name := prefix + _letters(index)) not in taken)


def _letters(index: int) -> str:
    """0 → a, 25 → z, 26 → aa: as the kernel names disks."""
    letters = ""
    while index >= 0:
        letters = chr(ord("a") + index % 26) + letters
        index = index // 26 - 1
    return letters


def _refuse_bus(bus: str, around: Around) -> str:
    machine = str(around.declared.get("machine") or around.observed.get("machine") or "")
    if bus == "ide" and lacks_ide(machine):
        return f"the machine type {machine} has no IDE; declare `bus: sata`, or `machine: pc`"
    read_only = around.item.get("readOnly")
    if bus in NEVER_READ_ONLY and read_only:
        return f"this disk is read-only, which none on the bus {bus} can be; declare virtio, scsi or usb"
    return ""


_OF_VIRTIO = ("queues", "queue_size", "iothread", "ioeventfd", "event_idx", "packed", "iommu", "ats", "page_per_vq")
BUS = bind(
    "bus",
    "target/@bus",
    put=_put_bus,
    bound=(
        bound_to({"virtio"}, *(f"driver/@{option}" for option in _OF_VIRTIO), "driver/iothreads", "@model"),
        bound_to({"scsi"}, "vendor", "product"),
        bound_to({"scsi", "ide"}, "wwn"),
        bound_to({"scsi", "sata", "ide"}, "target/@rotation_rate"),
        bound_to({"usb"}, "target/@removable"),
        bound_to({"virtio", "scsi", "sata", "ide"}, "geometry"),
    ),
    refuses=_refuse_bus,
)
TARGET = bind("target", "target/@dev", put=_put_target)

Item = TypeVar("Item")


def pair_by(
    rules: Sequence[Callable[[Item, Item], bool]], declared: Sequence[Item], observed: Sequence[Item]
) -> list[int | None]:
    """For each declared item the index of its observed one. A rule sees only what the rules before it left over."""
    found: list[int | None] = [None] * len(declared)
    free = list(range(len(observed)))
    for rule in rules:
        for place, item in enumerate(declared):
            if found[place] is None:
                index = next((index for index in free if rule(item, observed[index])), None)
                if index is not None:
                    found[place] = index
                    free.remove(index)
    return found
