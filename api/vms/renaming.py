"""Renames a machine that is off: its document keeps its uid and changes its name, and the agent does the rest.

What the host refuses is put back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from api.vms.fixed_disks import fixed_disks, keep_with, name_disks
from api.vms.names import name_taken
from reconciler.errors import NotApplied, Transient
from reconciler.loop.passes import World
from reconciler.observed.snapshot import Observed
from reconciler.serving.client import Client
from reconciler.serving.serving import Serving
from reconciler.writing.changes import DocumentChange, Documents, Put, Remove
from specs.plain import NewDocument
from specs.reference import Ref


def rename_machine(
    serving: Serving, observed: Observed, new: Ref, change: Callable[[NewDocument], None], client: Client
) -> World:
    """Give it the name of `new`, and let `change` work on its document in the same commit. Raises Refusal 400."""
    promise = serving.names.take(new)
    if promise is None:
        raise name_taken(new.name)
    try:
        world = _renamed(serving, observed, new, change, client)
    finally:
        serving.names.release(promise)
    if new not in world.snapshot.objects:
        raise Transient(f"It is committed, and renamed later: {world.closed or 'look at its status'}.")
    return world


def _renamed(
    serving: Serving, observed: Observed, new: Ref, change: Callable[[NewDocument], None], client: Client
) -> World:
    ref, world = observed.ref, serving.world
    fixed = fixed_disks(serving, world, ref)
    before: list[NewDocument] = []
    after: list[NewDocument] = []

    def pin(documents: Documents) -> Sequence[DocumentChange]:
        document = documents.get(ref)
        if document is None:
            return []
        return [Put(ref, {**document, "metadata": {**document["metadata"], "uid": observed.uid}})]

    def rename(documents: Documents) -> Sequence[DocumentChange]:
        if new in documents.refs():
            raise name_taken(new.name)
        document = serving.document(ref, documents)
        metadata = {**document["metadata"], "name": new.name, "uid": observed.uid}
        renamed = {**document, "metadata": metadata, "spec": dict(document.get("spec") or {})}
        name_disks(renamed, fixed, world, ref)
        change(renamed)
        before[:], after[:] = [document], [renamed]
        return [*([Remove(ref)] if ref in documents.refs() else []), Put(new, renamed)]

    def put_back(documents: Documents) -> Sequence[DocumentChange]:
        untouched = documents.get(new) == after[0] and ref not in documents.refs()
        return [Remove(new), Put(ref, before[0])] if untouched else []

    # The text of a document keeps its comments by the identity that it names: one that names none gets it first.
    serving.changes.make(pin, f"Note the uid of machine {ref.name}", client, [ref], settle=False)
    message = f"Rename machine {ref.name} to {new.name}"
    try:
        after_it = serving.changes.make(rename, message, client, [new]).world
    except NotApplied:
        message = f"Rename machine {new.name} back to {ref.name}, which can't be renamed"
        serving.changes.make(put_back, message, client, [], settle=False)
        raise
    return keep_with(serving, ref, new, after_it)
