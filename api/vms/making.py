"""Makes a machine from a document: commits it, waits until it is on the host, or takes all of it back again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from api.vms.removing import remove_machine
from reconciler.desired.implied import complete
from reconciler.errors import Conflict, NotApplied, OnggiError
from reconciler.loop.passes import World
from reconciler.serving.client import Client
from reconciler.serving.serving import Serving
from reconciler.writing.changes import DocumentChange, Documents, Put, Remove
from specs.reference import STORAGE_POOL, VIRTUAL_MACHINE, Ref
from specs.registry import kinds
from specs.storagepool.types import OF_DEVICES
from specs.virtualmachine import KIND as MACHINES

log = logging.getLogger("onggi.api")

Document = Mapping[str, Any]

_LONGEST_S: Final = 3600.0


def make_machine(
    serving: Serving,
    ref: Ref,
    document: Document,
    message: str,
    client: Client,
    *,
    before: Callable[[], None] = lambda: None,
) -> str | None:
    """Make it, and give a sentence when it is only committed for now. Raises OnggiError; then nothing of it is left.

    `before` is called just before the commit, perhaps several times.
    """

    def edit(documents: Documents) -> Sequence[DocumentChange]:
        if ref in documents.refs() or ref in serving.world.snapshot.objects:
            raise Conflict(f"KCHVM0001E: There is a machine {ref.name} already; choose another name.")
        before()
        return [Put(ref, document)]

    try:
        world = serving.changes.make(edit, message, client, [ref], timeout_s=_LONGEST_S).world
    except NotApplied:
        _take_back(serving, ref, document, client)
        raise
    if ref not in world.snapshot.objects:
        return f"It is committed, and made later: {world.closed or 'nothing is applied now'}."
    return None


def mistakes_of(world: World, document: Document, allowed_folders: tuple[str, ...]) -> list[str]:
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


def disks_to_be(world: World, name: str, disks: Iterable[Mapping[str, Any]]) -> list[Ref]:
    """The volumes that these disks of a machine's document stand for, in their order."""
    spec = MACHINES.declared({"disks": list(disks)})
    found = complete(name, "", spec, block_pools=block_pools(world, declared_only=True), allowed_folders=())
    return [volume.ref for volume in found.volumes]


def block_pools(world: World, *, declared_only: bool = False) -> frozenset[str]:
    """Pools whose volumes are devices. Disks are named by the declared ones alone."""
    found = {
        ref.name
        for ref, resource in world.desired.resources.items()
        if ref.kind == STORAGE_POOL and resource.spec.get("type") in OF_DEVICES
    }
    if not declared_only:
        found |= {ref.name for ref in world.snapshot.objects if pool_type(world, ref.name) in OF_DEVICES}
    return frozenset(found)


def pool_type(world: World, pool: str) -> str:
    """libvirt's word for what kind of pool it is; empty for one that isn't on the host."""
    observed = world.snapshot.get(Ref(STORAGE_POOL, pool))
    return "" if observed is None else str(observed.config.get("type") or "")


def _take_back(serving: Serving, ref: Ref, document: Document, client: Client) -> None:
    """Remove what couldn't be made, unless somebody has already put their hand to it."""
    untouched = True

    def edit(documents: Documents) -> Sequence[DocumentChange]:
        nonlocal untouched
        untouched = documents.get(ref) in (None, document)
        return [Remove(ref)] if untouched and ref in documents.refs() else []

    try:
        message = f"Take back machine {ref.name}, which can't be made"
        serving.changes.make(edit, message, client, [ref], settle=False, removes=True)
        if untouched:
            remove_machine(serving, ref, client)
    except OnggiError as error:
        log.warning("what is there of %s couldn't be taken back: %s", ref, error)
