"""What becomes of a machine's document that is put together: its mistakes, and the volumes that its disks stand for."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.desired.virtualmachine.implied import complete
from reconciler.loop.passes import World
from specs.plain import DocumentData, Json
from specs.reference import STORAGE_POOL, VIRTUAL_MACHINE, Ref
from specs.registry import kinds
from specs.storagepool import KIND as POOLS
from specs.storagepool.types import OF_DEVICES
from specs.virtualmachine import KIND as MACHINES


def mistakes_of(world: World, document: DocumentData, allowed_folders: tuple[str, ...]) -> list[str]:
    """What keeps a document from being a machine, each as a sentence: what only shows when it is put together."""
    metadata, spec = document["metadata"], document["spec"]
    completion = complete(
        metadata["name"],
        metadata["uid"],
        spec,
        block_pools=block_pools(world, declared_only=True),
        allowed_folders=allowed_folders,
    )
    rules = kinds()[VIRTUAL_MACHINE].check(metadata["name"], completion.spec)
    return [message for _pointer, message in (*rules, *completion.mistakes)]


def disks_to_be(world: World, name: str, disks: Iterable[Json]) -> list[Ref]:
    """The volumes that these disks of a machine's document stand for, in their order."""
    spec = MACHINES.declared({"disks": list(disks)})
    found = complete(name, "", spec, block_pools=block_pools(world, declared_only=True), allowed_folders=())
    return [volume.ref for volume in found.volumes]


def block_pools(world: World, *, declared_only: bool = False) -> frozenset[str]:
    """Pools whose volumes are devices. Disks are named by the declared ones alone."""
    found = {
        ref.name
        for ref, resource in world.desired.resources.items()
        if ref.kind == STORAGE_POOL and POOLS.declared(resource.spec).get("type") in OF_DEVICES
    }
    if not declared_only:
        found |= {ref.name for ref in world.snapshot.objects if pool_type(world, ref.name) in OF_DEVICES}
    return frozenset(found)


def pool_type(world: World, pool: str) -> str:
    """libvirt's word for what kind of pool it is; empty for one that isn't on the host."""
    observed = world.snapshot.get(Ref(STORAGE_POOL, pool))
    return "" if observed is None else str(POOLS.lowered(observed.config).get("type") or "")
