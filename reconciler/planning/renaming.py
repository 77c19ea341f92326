"""Decides about what has another name than its document says: a VM and its own disks follow, once the VM is off.

Which these are is found out in `renames`; that a network or a pool can't be renamed is said here.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning import machine
from reconciler.planning.assessment import Assessment, ownership_entry
from reconciler.planning.context import Context
from reconciler.planning.operations import Rename, RenameVolume
from reconciler.planning.plan import Action, Blocked, Step
from specs.binding import parse, serialise
from specs.effect import Change, Effect
from specs.reference import STORAGE_VOLUME, VIRTUAL_MACHINE, Ref

_WHY = "renamed: its document kept the uid and changed the name"


def assess_renamed(resource: Resource, context: Context) -> Assessment | None:
    """What to do about a resource whose object has another name; None when that isn't so."""
    ref = resource.ref
    if ref.kind == VIRTUAL_MACHINE:
        if ref in context.renames.formerly:
            return _machine(resource, context.renames.present.get(ref, ref), context)
    elif ref.kind == STORAGE_VOLUME:
        if ref in context.renames.present and resource.parent is not None:
            return _volume(resource, resource.parent, context.renames.present[ref], context)
        return None
    return _taken(resource, context)


def _machine(resource: Resource, old: Ref, context: Context) -> Assessment:
    ref = resource.ref
    present = context.snapshot.objects[old]
    if present.active:
        note = "a running machine can't be renamed, nor its disks; that and its other changes follow once it is off"
        return Assessment(waiting=(Change("/metadata/name", old.name, ref.name, Effect.NEXT_BOOT, note),))
    objects = context.snapshot.objects
    for volume, before in context.renames.formerly.items():
        if volume in objects and before in objects and context.desired.resources[volume].parent == ref:
            message = (
                f"{old} can't be renamed to {ref.name}: its disk {before} would become {volume.short_name}, which "
                "exists already; rename one of the two by hand"
            )
            return Assessment(blocked=Blocked(ref, "RenameRefused", message, resource.path, resource.line))
    found = machine.assess(resource, _as_renamed(ref, present, context), context)
    step = found.step
    if step is None or old == ref:
        return found
    renamed = replace(
        step,
        why=_WHY,
        operations=(Rename(old, ref, present.uid), *step.operations),
        changes=(
            Change("/metadata/name", old.name, ref.name, Effect.LIVE),
            *(change for change in step.changes if change.pointer != "/metadata"),
        ),
    )
    return replace(found, step=renamed, record=step.owned)


def _as_renamed(ref: Ref, present: Observed, context: Context) -> Observed:
    """A VM as it will be once it and its disks have their declared names, everything else as it is."""
    root = parse(present.xml)
    name = root.find("name")
    if name is not None:
        name.text = ref.name
    paths = {
        context.host.volumes[old].path: context.host.volumes[new].path
        for new, old in context.renames.formerly.items()
        if new.kind == STORAGE_VOLUME and old in context.host.volumes and new in context.host.volumes
    }
    for source in root.findall("devices/disk/source"):
        for attribute in ("file", "dev"):
            if (moved := paths.get(source.get(attribute, ""))) is not None:
                source.set(attribute, moved)
    return replace(present, ref=ref, xml=serialise(root))


def _volume(resource: Resource, parent: Ref, old: Ref, context: Context) -> Assessment:
    of_machine = {parent, context.renames.present.get(parent, parent)}
    if any(context.snapshot.objects[ref].active for ref in of_machine if ref in context.snapshot.objects):
        return Assessment()
    others = sorted(context.users.get(old, frozenset()) - of_machine)
    if others:
        message = f"{old} can't be renamed to {resource.ref.short_name}: {', '.join(map(str, others))} uses it too"
        return Assessment(blocked=Blocked(resource.ref, "InUse", message, resource.path, resource.line))
    entry = context.owned.get(old)
    record = ownership_entry(resource, "", created=entry.created if entry is not None else False)
    step = Step(
        ref=resource.ref,
        action=Action.UPDATE,
        why=f"follows the name of {parent}",
        effect=Effect.LIVE,
        operations=(RenameVolume(old, resource.ref),),
        changes=(Change("/metadata/name", old.short_name, resource.ref.short_name, Effect.LIVE),),
        path=resource.path,
        line=resource.line,
        owned=record,
    )
    return Assessment(step=step)


def _taken(resource: Resource, context: Context) -> Assessment | None:
    """The refusal of a UUID that a network or pool of another name has; libvirt can't rename those."""
    present = context.by_uid.get(resource.uid) if resource.uid else None
    if present is None or present == resource.ref or present.kind != resource.ref.kind:
        return None
    message = (
        f"{resource.ref} has the uid of {present}, and libvirt can't rename a {present.kind}; take the uid out of the "
        "document to make a new one, or keep the name"
    )
    return Assessment(blocked=Blocked(resource.ref, "RenameRefused", message, resource.path, resource.line))
