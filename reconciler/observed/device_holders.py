"""Which VMs have which of the host's devices, by their definitions and by what they run with.

One pass over a snapshot answers for all devices. A VM without host devices isn't even parsed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from reconciler.observed.host_devices import HostDevice
from reconciler.observed.snapshot import Observed, Snapshot
from specs.registry import described

log = logging.getLogger("onggi.hypervisor")

Place = tuple[str, tuple[int, ...]]  # pci | usb | scsi | usb-ids, and the numbers of the address or of the model

_KINDS = {"pci": "pci", "usb_device": "usb", "scsi": "scsi"}  # libvirt's word for a device → for a machine's part


@dataclass(frozen=True, slots=True)
class Holder:
    """A VM that has the device, and its state: running, paused, shutoff, ..."""

    name: str
    state: str


def holders(device: HostDevice, snapshot: Snapshot) -> tuple[Holder, ...]:
    """The VMs that hold `device`, in order of their names."""
    index = _index(snapshot)
    found = {holder.name: holder for place in _places(device) for holder in index.get(place, ())}
    return tuple(found[name] for name in sorted(found))


def _places(device: HostDevice) -> Iterator[Place]:
    from specs.virtualmachine.devices.hostdevices import ADDRESS

    kind = _KINDS.get(device.kind)
    if kind is None:
        return
    yield kind, tuple(device.fields[each] for each in ADDRESS[kind])
    if kind == "usb":
        model = _model(*(device.fields[each]["id"] for each in ("vendor", "product")))
        if model:
            yield "usb-ids", model


def _model(vendor: str | None, product: str | None) -> tuple[int, ...]:
    """The numbers of a model; libvirt writes them as `0x046d`. Empty when they aren't numbers."""
    try:
        return int(vendor or "", 16), int(product or "", 16)
    except ValueError:
        return ()


@lru_cache(maxsize=2)
def _index(snapshot: Snapshot) -> Mapping[Place, tuple[Holder, ...]]:
    found: dict[Place, list[Holder]] = {}
    for ref, seen in snapshot.objects.items():
        if described(ref.kind).has_guest:
            for place in _held(seen):
                found.setdefault(place, []).append(Holder(ref.name, seen.state))
    return {place: tuple(each) for place, each in found.items()}


def _held(seen: Observed) -> frozenset[Place]:
    try:
        return _held_by(seen.xml) | (_held_by(seen.live_xml) if seen.live_xml else frozenset())
    except Exception:  # one odd machine hides no other
        log.exception("the host devices of %s can't be told", seen.ref)
        return frozenset()


def _held_by(xml: str) -> frozenset[Place]:
    return _read(xml) if "hostdev" in xml else frozenset()


@lru_cache(maxsize=4096)
def _read(xml: str) -> frozenset[Place]:
    from specs.binding import parse, read, text_at
    from specs.virtualmachine.devices.hostdevices import ADDRESS, HOST_DEVICES

    root = parse(xml)
    found: set[Place] = set()
    for item in read((HOST_DEVICES,), root).get("hostDevices", ()):
        numbers = tuple(item["numbers"].get(each) for each in ADDRESS[item["type"]])
        if None not in numbers:
            found.add((item["type"], numbers))
    for source in root.iterfind("devices/hostdev[@type='usb']/source"):
        if source.find("address") is None:  # by its model alone: any device of that model
            found.add(("usb-ids", _model(text_at(source, "vendor/@id"), text_at(source, "product/@id"))))
    for address in root.iterfind("devices/interface[@type='hostdev']/source/address[@type='pci']"):
        found.add(("pci", tuple(int(address.get(each) or "0", 16) for each in ADDRESS["pci"])))
    return frozenset(place for place in found if place[1])
