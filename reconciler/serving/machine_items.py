"""Which item of a machine's document a device on the host is: for changes of one device among those that it declares.

Items and devices are paired exactly as a pass pairs them, so that what a client points at is what gets changed. Pure.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.desired.template.meaning import machine_fields, merged
from reconciler.desired.virtualmachine.implied import SEED_DRIVE, complete
from reconciler.loop.passes import World
from reconciler.observed.snapshot import Observed
from reconciler.planning.virtualmachine.retained_disks import remembered
from reconciler.writing.changes import Documents
from specs.binding import Items, value_at
from specs.plain import DocumentData, NewSpec, Spec
from specs.problem import Unrenderable
from specs.reference import STORAGE_POOL, STORAGE_VOLUME, TEMPLATE, VIRTUAL_MACHINE, Ref
from specs.registry import kinds
from specs.storagepool import KIND as POOLS
from specs.storagepool.types import OF_DEVICES
from specs.template import KIND as TEMPLATES
from specs.virtualmachine import KIND as MACHINES

if TYPE_CHECKING:
    from specs.template.spec import TemplateSpec
    from specs.virtualmachine.spec import VirtualMachineSpec

Item = dict[str, Any]


class Pair(NamedTuple):
    """An item's place, the item as it is compared, and the device as its definition has it, or as it runs."""

    place: int
    lowered: Spec
    found: Spec


_CHAIN = 32  # templates on top of each other; loading refuses circles, the tip may have one


def items_of(document: DocumentData, documents: Documents, name: str) -> list[Item]:
    """The list `name` (disks, cdroms, interfaces, hostDevices) that holds for a machine, a copy to change.

    The document's own, else the one that its template gives it: a changed list has to stand in the document whole.
    """
    spec: Spec = document.get("spec") or {}
    held = spec if name in spec else machine_fields(_template(str(spec.get("template") or ""), documents))
    return [dict(item) for item in copy.deepcopy(value_at(held, name) or [])]


def _template(name: str, documents: Documents) -> TemplateSpec:
    chain: list[Spec] = []
    while name and len(chain) < _CHAIN:
        found = documents.get(Ref(TEMPLATE, name))
        spec = (found or {}).get("spec") or {}
        chain.append(spec)
        name = str(spec.get("template") or "")
    whole: NewSpec = {}
    for spec in reversed(chain):
        whole = merged(whole, spec)
    return TEMPLATES.declared(whole)


def pairs(name: str, items: Sequence[Item], document: DocumentData, observed: Observed, world: World) -> list[Pair]:
    """Each device that an item stands for.

    A place behind the last is the drive of cloud-init's seed, which has no item of its own.
    """
    lowered = _lowered(name, items, document, observed, world)
    bind = next(bind for bind in kinds()[VIRTUAL_MACHINE].xml.BINDS if isinstance(bind, Items) and bind.name == name)
    sound = [place for place, item in enumerate(lowered) if item is not None]
    paired: dict[int, Pair] = {}
    for spec in (observed.config, observed.live):
        found = (spec or {}).get(name) or []
        matches = bind.matches([item for item in lowered if item is not None], found)
        for place, match in zip(sound, matches, strict=True):
            if match is not None:
                paired.setdefault(place, Pair(place, lowered[place] or {}, found[match]))
    return [paired[place] for place in sorted(paired)]


def _lowered(
    name: str, items: Sequence[Item], document: DocumentData, observed: Observed, world: World
) -> list[Spec | None]:
    xml = kinds()[VIRTUAL_MACHINE].xml
    machine, host = observed.ref.name, world.snapshot.host
    if name == "hostDevices":
        found: list[Spec | None] = []
        for item in items:
            try:
                found += xml.lower({name: [item]}, name=machine, uid=observed.uid, host=host)[name]
            except Unrenderable:  # unplugged: it stands for nothing that is there
                found.append(None)
        return found
    spec = completed(name, items, document, observed, world)
    return list(xml.lower({name: value_at(spec, name)}, name=machine, uid=observed.uid, host=host)[name])


def completed(
    name: str, items: Sequence[Item], document: DocumentData, observed: Observed, world: World
) -> VirtualMachineSpec:
    """A spec of this one list as a pass completes it: volumes by their full names, and the seed's drive at the end."""
    part: NewSpec = {name: list(items)}
    cloud_init = (document.get("spec") or {}).get("cloudInit")
    if name == "cdroms" and cloud_init:
        part["cloudInit"] = cloud_init
    block = frozenset(
        ref.name
        for ref, resource in world.desired.resources.items()
        if ref.kind == STORAGE_POOL and POOLS.declared(resource.spec).get("type") in OF_DEVICES
    )
    declared = MACHINES.declared(part)
    spec = complete(observed.ref.name, observed.uid, declared, block_pools=block, allowed_folders=()).spec
    known = remembered(world.owned.get(observed.ref))
    if known and "disks" in spec:  # an entry that was renamed is still the volume that it was
        own = [disk.copy() for disk in spec["disks"]]
        for item, disk in zip(items, own, strict=True):
            if "size" in item:
                disk["volume"] = known.get(str(disk["name"]), disk["volume"])
        spec["disks"] = own
    return spec


def own_volume(
    place: int, items: Sequence[Item], document: DocumentData, observed: Observed, world: World
) -> Ref | None:
    """The volume that the disk at `place` asks for by its `size`; None for a disk that names a volume."""
    if "size" not in items[place]:
        return None
    return Ref(STORAGE_VOLUME, completed("disks", items, document, observed, world)["disks"][place]["volume"])


def is_seed(place: int, items: Sequence[Item]) -> bool:
    """True when a place that was found is the drive of cloud-init's seed."""
    return place >= len(items) or items[place].get("name") == SEED_DRIVE
