"""What has to be said to a running virtual machine so that it becomes what is declared. Pure: the saying is elsewhere.

Only changes whose effect is live are turned into edits; whoever calls decides what happens to the others. A device's
XML is made from the running definition, because libvirt compares it with that.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from lxml import etree

from specs.binding import Element, Item, Items, read, serialise, text_at, value_at
from specs.effect import Change, Effect
from specs.overlay.writing import PREFIX
from specs.virtualmachine import overlay_live
from specs.virtualmachine.compute.layout import kib_set_aside
from specs.virtualmachine.compute.live import tuning
from specs.virtualmachine.devices.graphics import PASSWORD, VALID_TO, find_console
from specs.virtualmachine.identity import TABLE
from specs.virtualmachine.storage.disks import DISKS
from specs.virtualmachine.storage.iolimits import BESIDE_LIMITS, IO_LIMITS
from specs.virtualmachine.xml import BINDS

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredVirtualMachine

Verb = Literal[
    "attach", "detach", "update", "memory", "vcpus", "title", "description", "resize", "iotune", "tune", "stats"
]

_VERBS: Mapping[str, Verb] = {
    "/memory": "memory",
    "/cpus": "vcpus",
    "/balloon/statsPeriod": "stats",
    "/title": "title",
    "/description": "description",
}
_KIB_PER_MIB = 1024


class LiveEdit(NamedTuple):
    """`value` is a device's XML for attach, detach, update and iotune, for tune that of what is set; KiB for memory, a
    count for vcpus, seconds for stats, else the text. `password` tells that the console's password goes into that XML.
    """

    verb: Verb
    value: str
    password: bool = False


def live_edits(
    lowered: LoweredVirtualMachine,
    live_root: Element,
    changes: Iterable[Change],
    managed: frozenset[str] = frozenset(),
) -> list[LiveEdit]:
    """The edits that make `changes` true, found by `differences` against the live spec with the same `managed`.

    An update says everything about its device that is live, so that two changes of one device don't undo each other.
    """
    edits: list[LiveEdit] = []
    for change in changes:
        if change.effect is Effect.LIVE:
            edits.extend(edit for edit in _edits(lowered, live_root, change, managed) if edit not in edits)
    return edits


def _edits(
    lowered: LoweredVirtualMachine, live_root: Element, change: Change, managed: frozenset[str]
) -> Iterator[LiveEdit]:
    verb = _VERBS.get(change.pointer)
    if verb is not None:
        value = change.new
        if verb == "memory":
            value = change.new * _KIB_PER_MIB - kib_set_aside(live_root)
        yield LiveEdit(verb, str(value))
        return
    if change.pointer.startswith(PREFIX):
        text = lowered.get("xml")
        yield from (LiveEdit(*edit) for edit in overlay_live.edits(TABLE, text, live_root, change, managed))
        return
    if change.pointer.startswith("/graphics/"):
        yield from _update_console(lowered, live_root)
        return
    if (tuned := tuning(lowered, live_root, change)) is not None:
        yield LiveEdit("tune", serialise(tuned))
        return
    bind = next(bind for bind in BINDS if isinstance(bind, Items) and change.pointer.startswith(f"/{bind.name}/"))
    if change.new is None:
        yield from _detach(bind, live_root, change, managed)
        return
    wanted: Sequence[Item] = value_at(lowered, bind.name) or []
    elements = list(bind.elements(live_root))
    indexes = bind.matches(wanted, bind.read(live_root))
    for item, index in zip(wanted, indexes, strict=True):
        pointer = f"/{bind.name}/{bind.label(item)}"
        if index is None and change.pointer == pointer:
            yield from _attach(bind, live_root, item, lowered)
        elif index is not None and change.pointer.startswith(f"{pointer}/"):
            name = change.pointer.removeprefix(f"{pointer}/")
            if bind is DISKS and (name == IO_LIMITS.name or name in BESIDE_LIMITS):
                yield _limit(elements[index], item, beside=name != IO_LIMITS.name)
            else:
                yield _update(bind, elements[index], item)


def _attach(bind: Items, live_root: Element, item: Item, lowered: LoweredVirtualMachine) -> Iterator[LiveEdit]:
    root = copy.deepcopy(live_root)
    before = len(root.findall("devices/controller"))
    element = bind.insert_into(root, item, lowered)
    for controller in root.findall("devices/controller")[before:]:  # the one that a first SCSI disk brings along
        yield LiveEdit("attach", serialise(controller))
    for order in element.findall("boot"):  # a running machine's order stands; the definition has the new one
        element.remove(order)
    yield LiveEdit("attach", serialise(element))


def _detach(bind: Items, live_root: Element, change: Change, managed: frozenset[str]) -> Iterator[LiveEdit]:
    for element, found in zip(bind.elements(live_root), bind.read(live_root), strict=True):
        if found == change.old and bind.removal(found, managed, listed=True) == change.pointer:
            yield LiveEdit("detach", serialise(element))
            return


def _update(bind: Items, element: Element, item: Item) -> LiveEdit:
    element = copy.deepcopy(element)
    found = read(bind.fields, element)
    for field in bind.fields:
        wanted, present = value_at(item, field.name), field.found_in(found)
        if field is IO_LIMITS or field.name in BESIDE_LIMITS or wanted is None or field.equal(wanted, present):
            continue
        if field.effect_of(present, wanted, found) is Effect.LIVE:
            field.write(element, wanted)
    for target in element.findall("target"):
        target.attrib.pop("tray", "")  # a state, which libvirt takes for a wish to change it and refuses
    return LiveEdit("update", serialise(element))


def _limit(element: Element, item: Item, *, beside: bool) -> LiveEdit:
    """libvirt refuses to update a disk so; it has a call of its own for limits, which needs the name and nothing else.

    So the XML has nothing else either: two passes that want the same say the same. What is `beside` the limits comes
    after those, which a burst needs.
    """
    disk = etree.Element("disk")
    etree.SubElement(disk, "target", dev=text_at(element, "target/@dev") or "")
    for field in DISKS.fields:
        value = value_at(item, field.name)
        if value is not None and (field.name in BESIDE_LIMITS if beside else field is IO_LIMITS):
            field.write(disk, value)
    return LiveEdit("iotune", serialise(disk))


def _update_console(lowered: LoweredVirtualMachine, live_root: Element) -> Iterator[LiveEdit]:
    """Everything about the password at once: libvirt sets it anew when its time is changed."""
    root = copy.deepcopy(live_root)
    console = find_console(root)
    if console is None:
        return
    until = value_at(lowered, VALID_TO.name)
    if until is not None:
        VALID_TO.write(root, until)
    yield LiveEdit("update", serialise(console), password=value_at(lowered, PASSWORD.name) is not None)
