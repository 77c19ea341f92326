"""What keeps a machine from having the disks that it is to be made with.

One rule for a template's `invalid`, for who changes a template, and for who makes a machine of one: nobody hears of it
from a task that could only fail.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from api.storagepools.usage import machines_with
from reconciler.desired.virtualmachine.implied import DEFAULT_POOL
from reconciler.loop.passes import World
from specs.codecs import bytes_of
from specs.reference import STORAGE_POOL, Ref
from specs.storagepool.types import LUNS, OF_DEVICES

if TYPE_CHECKING:
    from specs.virtualmachine.spec import Disk

NO_NEW_VOLUME: Final = "KCHTMPL0018E"
BAD_SIZE: Final = "KCHTMPL0022E"
BAD_BASE: Final = "KCHTMPL0023E"
BAD_FORMAT: Final = "KCHTMPL0027E"
IN_USE: Final = "KCHVMSTOR0016E"

_MADE: Final = ("qcow2", "raw")


class Unfit(NamedTuple):
    """`what` is a disk's name, or a volume's; `sentence` says why, and what to do."""

    code: str
    what: str
    sentence: str


def unfit_disks(world: World, disks: Iterable[Disk]) -> Iterator[Unfit]:
    """Of disks as a machine's document has them, those that can't be. What isn't there at all is told elsewhere."""
    for place, disk in enumerate(disks):
        pool, name = str(disk.get("pool", DEFAULT_POOL)), str(disk.get("name", f"disk{place}"))
        if "volume" not in disk and "size" not in disk:
            continue  # it is in no pool
        if "volume" in disk:
            yield from _existing(world, Ref.volume_named(disk["volume"], pool))
        elif is_pool_of(world, pool, LUNS):
            yield Unfit(
                NO_NEW_VOLUME, name, f"No volume can be made in the pool {pool}; name one that it has as the `volume`."
            )
        else:
            yield from _new(world, name, disk, pool)


def _existing(world: World, volume: Ref) -> Iterator[Unfit]:
    if names := machines_with(world, volume):
        told = f"The volume {volume.name} is used by {', '.join(names)}; detach it there, or name another."
        yield Unfit(IN_USE, volume.name, told)


def _new(world: World, name: str, disk: Disk, pool: str) -> Iterator[Unfit]:
    form = "raw" if is_pool_of(world, pool) else str(disk.get("format", "qcow2"))
    if form not in _MADE:
        told = f"Machines get disks in {' and '.join(_MADE)}, not in {form}; choose one of those."
        yield Unfit(BAD_FORMAT, name, told)
    if "base" not in disk:
        return
    if form == "raw":
        yield Unfit(BAD_BASE, name, "A raw disk, as any in a pool of devices, can't have a base image; take qcow2.")
    base = world.snapshot.get(Ref.volume_named(disk["base"], pool))
    if base is not None and (bytes_of(disk["size"]) or 0) < int(base.details.get("capacity") or 0):
        told = f"The disk is smaller than its base image {base.ref.name}; give it at least the size of that."
        yield Unfit(BAD_SIZE, name, told)


def is_pool_of(world: World, pool: str, types: frozenset[str] = OF_DEVICES) -> bool:
    """Whether a pool is of one of these types; as a rule, of those whose volumes are devices without a format."""
    ref = Ref(STORAGE_POOL, pool)
    declared, seen = world.desired.resources.get(ref), world.snapshot.get(ref)
    spec = declared.spec if declared is not None else seen.config if seen is not None else {}
    return spec.get("type") in types
