"""What has to be said to a running virtual machine so that it becomes what is declared. Pure: the saying is elsewhere.

Only changes whose effect is live are turned into edits; whoever calls decides what happens to the others. A device's
XML is made from the running definition, because libvirt compares it with that.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from specs.binding import Element, Field, Items, read, serialise, value_at
from specs.effect import Change, Effect
from specs.virtualmachine.xml import BINDS

Verb = Literal["attach", "detach", "update", "memory", "vcpus", "title", "description", "resize"]

_VERBS: Mapping[str, Verb] = {
    "/memory": "memory",
    "/cpus": "vcpus",
    "/title": "title",
    "/description": "description",
}
_KIB_PER_MIB = 1024


class LiveEdit(NamedTuple):
    """`value` is a device's XML for attach, detach and update; KiB for memory, a count for vcpus, else the text."""

    verb: Verb
    value: str


def live_edits(
    lowered: Mapping[str, Any],
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
    lowered: Mapping[str, Any], live_root: Element, change: Change, managed: frozenset[str]
) -> Iterator[LiveEdit]:
    verb = _VERBS.get(change.pointer)
    if verb is not None:
        yield LiveEdit(verb, str(change.new * _KIB_PER_MIB if verb == "memory" else change.new))
        return
    bind = next(bind for bind in BINDS if isinstance(bind, Items) and change.pointer.startswith(f"/{bind.name}/"))
    if change.new is None:
        yield from _detach(bind, live_root, change, managed)
        return
    wanted: Sequence[Mapping[str, Any]] = value_at(lowered, bind.name) or []
    elements = list(bind.elements(live_root))
    indexes = bind.matches(wanted, [read(bind.fields, element) for element in elements])
    for item, index in zip(wanted, indexes, strict=True):
        pointer = f"/{bind.name}/{bind.label(item)}"
        if index is None and change.pointer == pointer:
            yield from _attach(bind, live_root, item, lowered)
        elif index is not None and change.pointer.startswith(f"{pointer}/"):
            yield _update(bind, elements[index], item)


def _attach(bind: Items, live_root: Element, item: Mapping[str, Any], lowered: Mapping[str, Any]) -> Iterator[LiveEdit]:
    root = copy.deepcopy(live_root)
    before = len(root.findall("devices/controller"))
    element = bind.insert_into(root, item, lowered)
    for controller in root.findall("devices/controller")[before:]:  # the one that a first SCSI disk brings along
        yield LiveEdit("attach", serialise(controller))
    for order in element.findall("boot"):  # a running machine's order stands; the definition has the new one
        element.remove(order)
    yield LiveEdit("attach", serialise(element))


def _detach(bind: Items, live_root: Element, change: Change, managed: frozenset[str]) -> Iterator[LiveEdit]:
    for element in bind.elements(live_root):
        found = read(bind.fields, element)
        if found == change.old and bind.removal(found, managed, listed=True) == change.pointer:
            yield LiveEdit("detach", serialise(element))
            return


def _update(bind: Items, element: Element, item: Mapping[str, Any]) -> LiveEdit:
    element = copy.deepcopy(element)
    found = read(bind.fields, element)
    for field in bind.fields:
        wanted, present = value_at(item, field.name), value_at(found, field.name)
        if wanted is not None and not field.equal(wanted, present) and _is_live(field, present, wanted, found):
            field.write(element, wanted)
    return LiveEdit("update", serialise(element))


def _is_live(field: Field, old: Any, new: Any, found: Mapping[str, Any]) -> bool:
    return field.effect_of(old, new, found) is Effect.LIVE
