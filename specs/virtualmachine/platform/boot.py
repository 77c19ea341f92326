"""The boot order: per device, or by kinds for the whole machine; libvirt refuses a definition that says both.

QEMU boots from nothing but the devices that have a place in the order. So a document that says where one of them stands
never says that the others are out: the declared ones come first, and what the machine booted from before comes after.
One that names kinds names all of them, and no device keeps a place of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from lxml import etree

from specs.binding import Bind, Element, Items, child_at, element, set_text_at, value_at
from specs.declared_binds import binder
from specs.virtualmachine.fields import SPEC
from specs.virtualmachine.storage.fields import DISK

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredVirtualMachine

bind = binder(SPEC)

# libvirt's words for the kinds of devices that a machine can boot from: the element, and what a drive is.
_CLASSES: Mapping[str, frozenset[tuple[str, str]]] = {
    "hd": frozenset({("disk", "disk"), ("disk", "lun")}),
    "cdrom": frozenset({("disk", "cdrom")}),
    "fd": frozenset({("disk", "floppy")}),
    "network": frozenset({("interface", "")}),
}
_DEFAULT = ("hd", "cdrom", "network")  # of a new machine: libvirt's own order
_PLACES = etree.XPath("devices/*/boot")  # compiled: every machine is asked, and a path would look into each device


def _leave(_device: Element, _order: int) -> None:
    """Nothing: a place among others is given by `settle_boot_order`, which knows them all."""


def _kinds(root: Element) -> list[str] | None:
    """The kinds that the whole machine goes by; None where devices have places of their own."""
    named = [str(each.get("dev")) for each in root.iterfind("os/boot")]
    return named if named and not _PLACES(root) else None


def _put_kinds(root: Element, kinds: Sequence[str]) -> None:
    for place in root.findall("devices/*/boot"):
        if (device := place.getparent()) is not None:
            device.remove(place)
    system = child_at(root, "os")
    for old in system.findall("boot"):
        system.remove(old)
    for kind in kinds:
        system.append(element("boot", dev=kind))


def boot_kinds(root: Element) -> list[str]:
    """The kinds of devices that a machine boots from, each once and in order, whichever way its definition says it."""
    return list(dict.fromkeys(named)) if (named := _kinds(root)) else _kinds_of(_sequence(root))


def _kinds_of(devices: Iterable[Element]) -> list[str]:
    found = (next((name for name, kinds in _CLASSES.items() if _kind(each) in kinds), "") for each in devices)
    return [name for name in dict.fromkeys(found) if name]


BOOT_KINDS = bind("bootDevices", get=_kinds, put=_put_kinds)

BOOT_ORDER = binder(DISK)("bootOrder", "boot/@order", put=_leave)


def settle_boot_order(root: Element, declared: LoweredVirtualMachine, binds: Sequence[Bind]) -> None:
    """Give the declared devices their places, and the others theirs behind them, if any declared one isn't there."""
    wanted = dict(_declared_orders(root, declared, binds))
    if all(_order(device) == order for device, order in wanted.items()):
        return
    rest = [device for device in _sequence(root) if device not in wanted]
    for machine_wide in root.findall("os/boot"):
        child_at(root, "os").remove(machine_wide)
    for device, order in wanted.items():
        set_text_at(device, "boot/@order", str(order))
    last = max(wanted.values())
    for device in rest:
        last = max(last + 1, _order(device) or 0)
        set_text_at(device, "boot/@order", str(last))


def _declared_orders(
    root: Element, declared: LoweredVirtualMachine, binds: Sequence[Bind]
) -> Iterator[tuple[Element, int]]:
    for bind in binds:
        if not isinstance(bind, Items) or BOOT_ORDER not in bind.fields:
            continue
        items = value_at(declared, bind.name) or ()
        if any(BOOT_ORDER.name in item for item in items):
            elements = list(bind.elements(root))
            for item, index in zip(items, bind.matches(items, bind.read(root)), strict=True):
                if index is not None and BOOT_ORDER.name in item:
                    yield elements[index], item[BOOT_ORDER.name]


def _order(device: Element) -> int | None:
    order: int | None = BOOT_ORDER.read(device)
    return order


def _sequence(root: Element) -> list[Element]:
    """What the machine boots from as it is, in order. Of a class that is named as a whole, libvirt takes the first."""
    places = [(order, device) for device in root.iterfind("devices/*") if (order := _order(device)) is not None]
    if places:
        return [device for _, device in sorted(places, key=lambda place: place[0])]
    named = [str(each.get("dev")) for each in root.iterfind("os/boot")]
    if named:
        return [device for name in named for device in _of_class(root, name)[:1]]
    return [device for name in _DEFAULT for device in _of_class(root, name)]


def _of_class(root: Element, name: str) -> list[Element]:
    return [device for device in root.iterfind("devices/*") if _kind(device) in _CLASSES.get(name, ())]


def _kind(device: Element) -> tuple[str, str]:
    return str(device.tag), device.get("device", "disk") if device.tag == "disk" else ""
