"""Where the size of a volume is written down: in its own document, or in that of the machine whose own disk it is."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.errors import Terminal, Unsupported
from reconciler.loop.passes import World
from reconciler.serving.machine_items import items_of, own_volume
from reconciler.serving.serving import Serving
from reconciler.writing.changes import DocumentChange, Documents, Edit, Put
from specs.codecs import size_text
from specs.host import Feature
from specs.reference import STORAGE_POOL, Ref
from specs.storagepool import KIND as POOLS
from specs.storagepool.types import OF_FILES


def resize_change(serving: Serving, world: World, ref: Ref, size: int) -> tuple[Ref, Edit]:
    """The object whose document says how large `ref` is, and the change that makes it `size` bytes.

    Raises Unsupported for a volume that libvirt could never grow.
    """
    kind = str(POOLS.lowered(world.snapshot.objects[Ref(STORAGE_POOL, ref.pool)].config).get("type"))
    if kind not in OF_FILES:
        raise Unsupported(f"libvirt can't grow a volume in a pool of type {kind}; make a larger one and copy this one.")
    if not world.snapshot.host.can(Feature.VOLUME_RESIZE):
        raise Unsupported(
            f"{ref} can't grow: this connection doesn't resize volumes; use one that does, qemu:///system."
        )
    resource = world.desired.resources.get(ref)
    machine = resource.parent if resource is not None else None
    if machine is None:

        def edit(documents: Documents) -> Sequence[DocumentChange]:
            document = serving.document(ref, documents)
            document["spec"] = {**(document.get("spec") or {}), "capacity": size_text(size)}
            return [Put(ref, document)]

        return ref, edit

    def edit_machine(documents: Documents) -> Sequence[DocumentChange]:
        observed = world.snapshot.get(machine)
        document = serving.document(machine, documents)
        items = items_of(document, documents, "disks")
        for place, item in enumerate(items):
            if observed is not None and own_volume(place, items, document, observed, world) == ref:
                item["size"] = size_text(size)
                document["spec"] = {**(document.get("spec") or {}), "disks": items}
                return [Put(machine, document)]
        raise Terminal(f"{ref} is a disk of {machine}, whose document doesn't show where; change its size there.")

    return machine, edit_machine
