"""Decides for one machine which disks stay with it although its document calls them otherwise, or no longer names them.

A disk is its volume, and a volume has what a guest wrote. A document that renames an entry means the same disk; one
that moves an entry to another pool, or drops it, may be a slip: the disk stays until a person says that it is to go.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.approval import approval_digest
from reconciler.planning.context import Context
from reconciler.planning.ownership import Fact, Owned
from specs.codecs import bytes_of
from specs.reference import STORAGE_POOL, STORAGE_VOLUME, Ref
from specs.storagevolume import KIND as VOLUMES
from specs.virtualmachine import KIND as MACHINES
from specs.virtualmachine import xml
from specs.virtualmachine.storage.cdroms import SEED_PREFIX
from specs.virtualmachine.storage.disks import DISKS
from specs.virtualmachine.storage.named_sources import disk_name
from specs.virtualmachine.storage.sources import text

if TYPE_CHECKING:
    from specs.virtualmachine.spec import Disk, LoweredDisk

_PREFIX = f"/{DISKS.name}/"
_PLACES = frozenset({"target", "bootOrder"})  # what only one device of a machine has at a time
_ROUNDING = 4 << 20  # a volume group makes volumes of whole extents


@dataclass(frozen=True, slots=True)
class Leaving:
    """A disk with data that the machine has and its document doesn't name. `found` is as its definition has it."""

    volume: Ref
    found: LoweredDisk


@dataclass(frozen=True, slots=True)
class Coming:
    """A disk that the document names and the machine doesn't have. `new`: its volume would be made for it, empty."""

    volume: Ref
    disk: Disk
    new: bool
    own: bool  # asked for by `size`: its volume is called after the machine and the entry


@dataclass(frozen=True, slots=True)
class Decision:
    """`renamed` has each declared volume that is another one on the host; `leaving` what nothing declared stands for.

    `coming` waits with those as long as they stay: a new volume could be meant in place of one of them.
    """

    renamed: Mapping[Ref, Ref]
    leaving: tuple[Leaving, ...] = ()
    coming: tuple[Coming, ...] = ()
    displacing: Mapping[Ref, LoweredDisk] = field(
        default_factory=dict
    )  # what would come to the place of a disk that stays, or below it
    digest: str = ""  # by which a person lets `leaving` go
    approved: bool = False


def disk_ref(disk: Disk) -> Ref:
    """What a document's disk is known by: its volume; of what lies outside of pools, its path or address."""
    return Ref(STORAGE_VOLUME, disk_name(disk))


def is_settled(resource: Resource, observed: Observed, context: Context) -> bool:
    """True when every disk that was declared before is declared now, none comes with a place of its own, and none that
    the machine has could be the snapshot of another one.

    So it is nearly always, and that is cheap to tell.
    """
    disks = {disk_name(disk): disk for disk in MACHINES.declared(resource.spec).get("disks") or ()}
    managed = observed.mark.managed if observed.mark is not None else frozenset()
    before = {pointer.removeprefix(_PREFIX) for pointer in managed if pointer.startswith(_PREFIX)}
    if any(is_unknown(item, context) for item in MACHINES.lowered(observed.config).get("disks") or ()):
        return False
    return before <= disks.keys() and not any(_PLACES & disks[volume].keys() for volume in disks.keys() - before)


def remembered(entry: Owned | None) -> dict[str, str]:
    """The volumes of renamed entries, by the entry's name, as the ledger remembers them."""
    kept = entry.facts.get(Fact.KEPT) if entry is not None else None
    return dict(json.loads(kept)) if kept else {}


def decide(resource: Resource, observed: Observed | None, context: Context) -> Decision:
    """Compare what the machine has with what its document names. `observed` is None for one that isn't there."""
    disks = MACHINES.declared(resource.spec).get("disks") or ()
    known = remembered(context.owned.get(resource.ref))
    if observed is None:
        here = [Coming(disk_ref(disk), disk, "volume" in disk, _is_own(disk, resource, context)) for disk in disks]
        return Decision(_from_memory(here, known, context.snapshot.objects, context))
    found = MACHINES.lowered(observed.config).get("disks") or []
    lowered = xml.lower({"disks": disks}, name=resource.ref.name, uid=observed.uid, host=context.host)["disks"]
    matches = DISKS.matches(lowered, found)
    coming = [
        Coming(ref, disk, "volume" in disk and _would_be_made(ref, context), _is_own(disk, resource, context))
        for disk, match in zip(disks, matches, strict=True)
        if match is None
        for ref in [disk_ref(disk)]
    ]
    going = list(_going(observed, [item for place, item in enumerate(found) if place not in matches], context))
    exchanged = any(each.new for each in coming)
    leaving = [each for each in going if has_data(each.found, each.volume, context, exchanged=exchanged)]
    coming, leaving = _without_following(coming, leaving, context)
    gone = {each.volume: each for each in going}
    renamed = _from_memory(coming, known, {**context.snapshot.objects, **gone}, context)
    renamed |= _by_elimination(
        [each for each in coming if each.volume not in renamed],
        [each for each in leaving if each.volume not in renamed.values()],
        resource,
        context,
    )
    coming = [each for each in coming if each.volume not in renamed]
    leaving = [each for each in leaving if each.volume not in renamed.values()]
    staying = [
        (item, disks[matches.index(place)] if place in matches else {})
        for place, item in enumerate(found)
        if not any(item is each.found for each in going)
    ]
    displacing = {
        each.volume: item for each in coming for item, disk in staying if _at_same_place(each.disk, item, but=disk)
    }
    unknown = next((item for item, disk in staying if not _is_said(disk) and is_unknown(item, context)), None)
    if unknown is not None:
        displacing |= {each.volume: unknown for each in coming if not each.new}
    if not leaving:
        return Decision(renamed, displacing=displacing)
    digest = _digest(observed, leaving, context)
    approved = digest in context.options.approved
    return Decision(renamed, tuple(leaving), tuple(coming), displacing, digest, approved)


def is_unknown(item: LoweredDisk, context: Context) -> bool:
    """Whether a disk is an image of which nobody can tell what lies below it: it may be a snapshot's file.

    Its pool is off, or it lies in none; and libvirt wrote nothing about it, for the machine was off.
    """
    path = text(item["source"])
    known = path in context.present_at or "backing" in item["source"] or item.get("readOnly")
    return not known and path.startswith("/") and item.get("format") == "qcow2"


def _is_said(disk: Disk) -> bool:
    """Whether a document says that this very image is the disk: it then is no snapshot of another one."""
    return "file" in disk


def _at_same_place(disk: Disk, found: LoweredDisk, but: Disk | None = None) -> bool:
    """Whether a disk would get the device name or the place in the boot order that another one has.

    `but` is what a document says of the other one: it may have been given another place.
    """
    return any(disk.get(key) == found.get(key) and key in disk and key not in (but or {}) for key in _PLACES)


def in_its_place(coming: Coming, leaving: Sequence[Leaving]) -> bool:
    """Whether a disk may come while those that leave are still there: not as a new one, a copy, or at their place."""
    if coming.new:
        return True
    return any(
        coming.volume.short_name == each.volume.short_name or _at_same_place(coming.disk, each.found)
        for each in leaving
    )


def _going(observed: Observed, undeclared: Sequence[LoweredDisk], context: Context) -> Iterator[Leaving]:
    managed = observed.mark.managed if observed.mark is not None else frozenset()
    for item in undeclared:
        if (pointer := DISKS.removal(item, managed, listed=True)) is not None:
            path = text(item["source"])
            yield Leaving(context.present_at.get(path) or Ref(STORAGE_VOLUME, pointer.removeprefix(_PREFIX)), item)


def has_data(item: LoweredDisk, volume: Ref, context: Context, *, exchanged: bool = False) -> bool:
    """Whether a guest may have written what is on a disk: not where nothing is left, nor on one that it only reads.

    When something new comes as it goes, it is `exchanged`: then both count too, for neither may become an empty one.
    """
    if volume.short_name.startswith(SEED_PREFIX):
        return False
    if exchanged:
        return True
    pool = context.snapshot.get(Ref(STORAGE_POOL, volume.pool))
    is_seen = pool is not None and pool.active
    return not item.get("readOnly") and (volume in context.snapshot.objects or not is_seen)


def _would_be_made(volume: Ref, context: Context) -> bool:
    """What the ledger knows was there once: that it is gone is another matter than that it is new."""
    return volume not in context.snapshot.objects and volume not in context.owned


def _is_own(disk: Disk, resource: Resource, context: Context) -> bool:
    volume = context.desired.resources.get(disk_ref(disk))
    return volume is not None and volume.parent == resource.ref


def _without_following(
    coming: list[Coming], leaving: list[Leaving], context: Context
) -> tuple[list[Coming], list[Leaving]]:
    """Without the disks that are called after a machine which is being renamed: they follow by themselves."""
    following = {each.volume: context.renames.formerly.get(each.volume) for each in coming}
    former = {each.volume for each in leaving}
    left = [each for each in coming if following[each.volume] not in former]
    moved = {following[each.volume] for each in coming}
    return left, [each for each in leaving if each.volume not in moved]


def _from_memory(
    coming: Sequence[Coming], known: Mapping[str, str], there: Mapping[Ref, Any], context: Context
) -> dict[Ref, Ref]:
    found = {}
    for each in coming:
        volume = Ref(STORAGE_VOLUME, known.get(str(each.disk.get("name")), ""))
        if not each.own or volume not in there or volume.pool != each.volume.pool:
            continue
        if volume not in context.desired.resources:  # else another entry is that disk by now, and none is two
            found[each.volume] = volume
    return found


def _by_elimination(
    coming: Sequence[Coming], leaving: Sequence[Leaving], resource: Resource, context: Context
) -> dict[Ref, Ref]:
    """One disk of the machine's own is gone and one is new, alike in all but the name: its entry was renamed."""
    new = [each for each in coming if each.new]
    if len(leaving) != 1 or len(new) != 1 or not new[0].own:
        return {}
    old, declared = leaving[0].volume, context.desired.resources[new[0].volume]
    entry, present = context.owned.get(old), context.snapshot.get(old)
    ours = entry.parent == resource.ref if entry is not None else old.short_name.startswith(f"{resource.ref.name}-")
    if not ours or present is None or old in context.desired.resources:
        return {}
    return {new[0].volume: old} if _alike(declared, old, present, context) else {}


def _alike(declared: Resource, old: Ref, present: Observed, context: Context) -> bool:
    place = context.host.volumes.get(old)
    wish = VOLUMES.declared(declared.spec)
    backing = wish.get("backingVolume")
    base = context.host.volume_source(Ref(STORAGE_VOLUME, backing)) if backing else None
    wanted, size = bytes_of(wish["capacity"]) or 0, VOLUMES.lowered(present.config).get("capacity", 0)
    return (
        declared.ref.pool == old.pool
        and place is not None
        and place.format == wish.get("format")
        and (base.path if base is not None else "") == (present.details.get("backing") or "")
        and wanted <= size < wanted + _ROUNDING
    )


def _digest(observed: Observed, leaving: Sequence[Leaving], context: Context) -> str:
    """What a person approves: that this machine, off or running as it is, loses these disks by this revision."""
    subject = json.dumps(["detach", sorted(each.volume.name for each in leaving)])
    return approval_digest(subject, str(context.desired.revision), [replace(observed, xml="")])
