"""What a running machine is told of the XML in its document: devices that come, go or change.

A device has to be known by something that stays, for a step that is made twice must not plug it in twice: its target,
its MAC address, its place on the host, or the alias that the document gave it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Final, Literal

from lxml import etree

from specs.binding import Element, serialise, text_at
from specs.effect import Change
from specs.overlay.fragment import parsed
from specs.overlay.merging import merge, remove
from specs.overlay.pairing import located, path_of
from specs.overlay.tables import OWN_ALIAS, Table
from specs.overlay.writing import PREFIX, stale

_BUSES = (None, "virtio", "scsi", "usb")  # None: libvirt chooses one by the name of the target


def _is_named(device: Element) -> bool:
    return (text_at(device, "alias/@name") or "").startswith(OWN_ALIAS)


def _on_a_bus(disk: Element) -> bool:
    """No CD-ROM or floppy drive: only what is in one can change."""
    known = disk.find("source") is not None and text_at(disk, "target/@bus") in _BUSES
    return known and disk.get("device", "disk") in ("disk", "lun")


PLUGGED: Final[Mapping[str, Callable[[Element], bool]]] = {
    "devices/disk": _on_a_bus,
    "devices/interface": lambda each: each.find("mac") is not None,
    "devices/hostdev": lambda each: each.find("source/address") is not None and each.get("mode") != "capabilities",
    "devices/channel": lambda each: text_at(each, "target/@type") == "virtio" and bool(text_at(each, "target/@name")),
    "devices/input": lambda each: _is_named(each) and each.get("bus") in ("usb", "virtio"),
    **dict.fromkeys(("devices/rng", "devices/redirdev", "devices/watchdog", "devices/memory"), _is_named),
}
UPDATED: Final = ("devices/interface/link", "devices/interface/bandwidth", "devices/interface/filterref")
_ABOUT = frozenset({"link", "bandwidth", "filterref", "mac", "alias"})  # these, and what tells a card apart
Verb = Literal["attach", "detach", "update"]


def edits(
    table: Table, text: str | None, live_root: Element, change: Change, managed: frozenset[str]
) -> Iterator[tuple[Verb, str]]:
    """(verb, device's XML) of what makes one live change true. `managed` is what was stated earlier."""
    pointer = change.pointer.removeprefix(PREFIX)
    if path_of(pointer) not in PLUGGED:
        yield "update", _updated(table, text, live_root, pointer, managed)
    elif change.new is None:
        yield from (("detach", serialise(element)) for element, _ in located(table, live_root, pointer))
    elif text:
        for element, _ in located(table, parsed(text), pointer):
            device = copy.deepcopy(element)
            for order in device.findall("boot"):  # a running machine's order stands; the definition has the new one
                device.remove(order)
            yield "attach", serialise(device)


def _updated(table: Table, text: str | None, live_root: Element, pointer: str, managed: frozenset[str]) -> str:
    """The device as it runs, with all that is to be changed of it at once: two updates don't undo each other then."""
    root, device = copy.deepcopy(live_root), "/".join(pointer.split("/")[:2])
    remove(table, root, [each for each in stale(table, root, text, managed) if _is_of(each, device)])
    fragment = copy.deepcopy(parsed(text)) if text else None
    for stated, _ in located(table, fragment, device) if fragment is not None else ():
        about = etree.Element(table.root)
        etree.SubElement(about, "devices").append(stated)
        for child in list(stated):
            if child.tag not in _ABOUT:
                stated.remove(child)
        merge(table, root, about)
    for running, _ in located(table, root, device):
        return serialise(running)
    raise LookupError(f"The running machine has no {device}.")


def _is_of(pointer: str, device: str) -> bool:
    return pointer.startswith(f"{device}/") and path_of(pointer).startswith(tuple(f"{path}/" for path in UPDATED))
