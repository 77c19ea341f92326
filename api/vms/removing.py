"""Removes a machine by a client's order: its document, the machine itself, and the disks that onggi made for it.

A document that vanishes from git keeps the volumes; an order that names one machine means the machine with its disks,
as clients of this API know it. What others use stays: other machines, images that are based on it, other documents. So
do CD-ROM images and whatever was there before onggi.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from api.http.refusal import Refusal
from reconciler.errors import NotApplied, NotFound, OnggiError, Transient
from reconciler.loop.passes import World
from reconciler.planning.one_off import PowerOff
from reconciler.planning.operations import DeleteVolume, Undefine
from reconciler.planning.plan import Action, one_off_step
from reconciler.planning.storagevolume.uses import users_of
from reconciler.serving.client import Client
from reconciler.serving.serving import Serving
from reconciler.writing.changes import DocumentChange, Documents, Remove
from specs.reach import console_owner
from specs.reference import STORAGE_VOLUME, Ref

log = logging.getLogger("onggi.api")

_PROTECT = "onggi/protect"
_WHY = "its removal was asked for"
_LATER_S = 60.0


def remove_machine(serving: Serving, ref: Ref, client: Client) -> None:
    """Remove it and wait until it is gone. Raises Refusal 409 for a protected one, NotApplied and others.

    A disk that can't be deleted is in the list of events, and stays.
    """
    world = serving.world
    disks, documents = disks_of(world, ref), _documents_of_disks(world, ref)
    serving.changes.check_allowed()
    if world.closed:
        raise Transient(f"Nothing is removed now: {world.closed}", retry_after_s=_LATER_S)

    def edit(found: Documents) -> Sequence[DocumentChange]:
        _refuse_protected(found.get(ref), ref)
        return [Remove(each) for each in (ref, *documents) if each in found.refs()]

    if ref in world.desired.resources or ref in world.desired.held:
        try:
            serving.changes.make(edit, f"Delete machine {ref.name}", client, [ref], settle=False, removes=True)
        except NotApplied as error:
            if error.reason != "Failed":
                raise  # else: it couldn't be stopped politely, which isn't waited for anyway
    # Without its document nobody starts it again: only now is the power cut, perhaps in the midst of a polite stop.
    seen = serving.world.snapshot.get(ref) or world.snapshot.get(ref)
    if seen is not None:
        serving.operations.perform(one_off_step(ref, _WHY, PowerOff(ref)), client)
        step = one_off_step(ref, _WHY, Undefine(ref, seen.uid), action=Action.DELETE)
        serving.operations.perform(step, client)
        serving.secrets.forget(console_owner(seen.uid))
    delete_disks(serving, [*disks, *documents], client)


def disks_of(world: World, ref: Ref) -> list[Ref]:
    """The volumes that onggi made for this machine: disks and seeds."""
    return sorted(
        entry.ref
        for entry in world.owned.values()
        if entry.parent == ref and entry.created and entry.ref.kind == STORAGE_VOLUME
    )


def _documents_of_disks(world: World, ref: Ref) -> list[Ref]:
    """The volumes with documents of their own that were made for this machine: called after it, and used by no other.

    Only those that onggi made.
    """
    resource = world.desired.resources.get(ref)
    if resource is None:
        return []
    found = []
    for volume in resource.depends_on:
        declared, entry = world.desired.resources.get(volume), world.owned.get(volume)
        if volume.kind != STORAGE_VOLUME or declared is None or declared.parent is not None:
            continue
        if entry is None or not entry.created or declared.policy.protect:
            continue
        if volume.short_name.startswith(f"{ref.name}-") and not _declared_by_others(world, volume, ref):
            found.append(volume)
    return found


def delete_disks(serving: Serving, disks: Sequence[Ref], client: Client) -> None:
    """Delete these volumes, but for those that somebody uses. What can't be deleted is told in log and events."""
    for disk in disks:
        world = serving.world
        if disk not in world.snapshot.objects:
            continue
        if users := users_of_disk(world, disk):
            log.info("%s stays: %s", disk, ", ".join(map(str, users)))
            continue
        step = one_off_step(disk, "its machine was deleted", DeleteVolume(disk), action=Action.DELETE)
        try:
            serving.operations.perform(step, client)
        except NotFound:
            continue
        except OnggiError as error:
            log.warning("%s stays: %s", disk, error)


def users_of_disk(world: World, disk: Ref) -> list[Ref]:
    """Who uses a volume: machines, volumes that are based on it, and documents that ask for it."""
    observed = world.snapshot.get(disk)
    path = str(observed.details.get("path") or "") if observed is not None else ""
    based = [
        ref
        for ref, seen in world.snapshot.objects.items()
        if path and ref.kind == STORAGE_VOLUME and ref != disk and seen.details.get("backing") == path
    ]
    machines = users_of(world.snapshot).get(disk, ())
    return [*machines, *based, *_declared_by_others(world, disk, None)]


def _declared_by_others(world: World, disk: Ref, machine: Ref | None) -> list[Ref]:
    resources = world.desired.resources
    return [
        ref
        for ref, resource in resources.items()
        if (machine is None or (ref not in (machine, disk) and resource.parent != machine))
        and (ref == disk or disk in resource.depends_on)
    ]


def _refuse_protected(document: dict[str, object] | None, ref: Ref) -> None:
    metadata = (document or {}).get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if isinstance(annotations, dict) and str(annotations.get(_PROTECT, "")).lower() == "true":
        raise Refusal(
            409, f"{ref.name} is protected by the annotation {_PROTECT} of its document; take that out first.",
        )  # fmt: skip
