"""The sentences about disks that stay with their machine, each with the way out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from reconciler.desired.state import Resource
from reconciler.planning.context import Context
from reconciler.planning.virtualmachine.retained_disks import Coming, Decision
from specs.reference import Ref
from specs.virtualmachine.storage.sources import text

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredDisk

_NAMED = 5


def renamed(machine: Ref, name: str, volume: Ref) -> str:
    """An entry has another name, and the disk is the same."""
    return f"{machine}: its disk {name} was called otherwise before, and keeps its volume {volume.name}"


def leaving(found: Decision, context: Context) -> str:
    """Disks that the document doesn't name any more."""
    volumes = [each.volume for each in found.leaving]
    trash = [volume.name for volume in volumes if _would_be_trashed(volume, context)]
    fate = f"; {', '.join(trash)} then goes into the trash, as deletionPolicy: Delete says" if trash else ""
    one = len(volumes) == 1
    return (
        f"its document no longer names the disk{'' if one else 's'} {_names(volumes)}, which stay{'s' if one else ''} "
        f"with the machine; name {'it' if one else 'them'} by `volume` to keep {'it' if one else 'them'}, or let "
        f"{'it' if one else 'them'} be detached{fate}: onggi approve {found.digest}"
    )


def in_place_of(resource: Resource, coming: Coming, found: Decision) -> str:
    """A volume that would be made while one with data leaves."""
    old = _counterpart(coming, found)
    what = f"it would be new and empty, while {resource.ref} is to lose {_names(each.volume for each in found.leaving)}"
    if old is not None and old.pool != coming.volume.pool:
        way = (
            f"A disk isn't moved by naming another pool. Write `pool: {old.pool}` to leave it where it is; to move it, "
            f"shut the machine down, copy {old.name} into the pool {coming.volume.pool} and name the copy by `volume`"
        )
    elif old is not None:
        way = f"An existing disk keeps its format; to keep it, write `volume: {old.name}`"
    else:
        way = f"If this is the same disk, write `volume: {found.leaving[0].volume.name}`"
    return f"{what}. {way}; if the exchange is meant: onggi approve {found.digest}"


def displacing(volume: Ref, there: LoweredDisk) -> str:
    """A disk at the place of another one."""
    place = there.get("target", "")
    order = f", place {there['bootOrder']} in the boot order" if "bootOrder" in there else ""
    return (
        f"{volume.name} can't come to the place of {text(there['source'])} ({place}{order}), from which the machine "
        "may boot; give it another `target` or `bootOrder`, or give that disk one of its own first"
    )


def beneath(volume: Ref, there: LoweredDisk) -> str:
    """A disk that may be the image below one that the machine has."""
    return (
        f"{volume.name} isn't plugged in beside {text(there['source'])}, which may be a snapshot above it: both "
        "at once would spoil its data; start the pool of that file, or declare one over its folder, so that it is seen"
    )


def elsewhere(machine: Ref, volume: Ref, giver: Ref, digest: str) -> str:
    """A disk that another machine still has."""
    return (
        f"{machine} gets the disk {volume.name} once {giver} has let it go, which waits for a person; "
        f"if that is meant: onggi approve {digest}"
    )


def shared_folder(pool: Ref, there: Ref) -> str:
    """A pool over the folder of one that is there."""
    return (
        f"{pool} has the folder of {there}, which is on the host. libvirt can't rename a pool, and no two share a "
        f"folder; call it {there.name} in the documents. What lies in it stays, and machines keep their disks"
    )


def _counterpart(coming: Coming, found: Decision) -> Ref | None:
    """The disk that leaves and has the same name but for its pool or its format."""
    stem = coming.volume.short_name.rpartition(".")[0] or coming.volume.short_name
    for each in found.leaving:
        name = each.volume.short_name
        if stem in (name, name.rpartition(".")[0]) or coming.volume.short_name == name.rpartition(".")[0]:
            return each.volume
    return None


def _would_be_trashed(volume: Ref, context: Context) -> bool:
    entry = context.owned.get(volume)
    declared = volume in context.desired.resources
    return entry is not None and entry.created and entry.deletion == "Delete" and not declared


def _names(volumes: Iterable[Ref]) -> str:
    names = [volume.name for volume in volumes]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
