"""Decides about machines that have another name than their documents say: they and their own disks follow, once off.

Which these are is found out in `renames`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.assessment import Assessment, ownership_entry
from reconciler.planning.context import Context
from reconciler.planning.operations import Rename, RenameSnapshots, RenameVolume
from reconciler.planning.plan import Action, Blocked, Step
from reconciler.planning.storagevolume import volume
from reconciler.planning.virtualmachine import machine
from reconciler.planning.why import is_drift
from specs.binding import parse, serialise, set_text_at
from specs.effect import Change, Effect
from specs.plain import Spec
from specs.reference import STORAGE_VOLUME, Ref

_WHY = "renamed: its document kept the uid and changed the name"
_WHY_BACK = "renamed on the host; its document has kept the name"


def assess_machine(resource: Resource, old: Ref, context: Context) -> Assessment:
    """What to do about a machine that is called `old`, by that name or by its mark."""
    ref = resource.ref
    present, renames = context.snapshot.objects[old], context.renames
    entry = context.owned.get(ref)
    name = Change("/metadata/name", old.name, ref.name, Effect.LIVE, "its snapshots, if it has any, follow")
    if present.active:
        return _waiting(resource, old, context)
    objects = context.snapshot.objects
    for disk, before in renames.formerly.items():
        if disk in objects and before in objects and context.desired.resources[disk].parent == ref:
            message = (
                f"{old} can't be renamed to {ref.name}: its disk {before} would become {disk.short_name}, which "
                "exists already; rename one of the two by hand"
            )
            refused = Blocked(ref, "RenameRefused", message, resource.path, resource.line)
            return replace(meanwhile(resource, old, context), blocked=refused)
    drifted = ref in renames.by_hand and is_drift(resource, entry)
    if drifted and resource.policy.drift != "enforce":
        found = meanwhile(resource, old, context)
        return replace(found, drifted=(name, *found.drifted)) if resource.policy.drift == "warn" else found
    paths = _moved_paths(ref, context)
    found = machine.assess(resource, _as_renamed(ref, present, dict(paths)), context)
    step, snapshots = found.step, RenameSnapshots(ref, present.uid, paths)
    if old == ref and step is not None:  # cut off: the mark, which is written last, still has the old name
        found = replace(found, step=replace(step, operations=(snapshots, *step.operations)))
    if old == ref or found.blocked is not None:
        return found
    renamed = Step(
        ref=ref,
        action=Action.UPDATE,
        why=_WHY_BACK if ref in renames.by_hand else _WHY,
        effect=step.effect if step is not None else Effect.LIVE,
        operations=(Rename(old, ref, present.uid), snapshots, *(step.operations if step is not None else ())),
        changes=(name, *(c for c in (step.changes if step is not None else ()) if c.pointer != "/metadata")),
        path=resource.path,
        line=resource.line,
        owned=step.owned if step is not None else found.record,
        drift=drifted,
    )
    return replace(found, step=renamed, drifted=(), record=renamed.owned)


def _waiting(resource: Resource, old: Ref, context: Context) -> Assessment:
    """The rename of a machine that runs, and all else that is to be done to it."""
    found = meanwhile(resource, old, context)
    if old == resource.ref:
        return found  # only its disks' names are left
    note = "a running machine can't be renamed, nor its disks; that follows once it is off"
    name = Change("/metadata/name", old.name, resource.ref.name, Effect.NEXT_BOOT, note)
    waits_for = found.waits_for or "the machine to be off, for a running one can't be renamed"
    return replace(found, waiting=(name, *found.waiting), waits_for=waits_for)


def meanwhile(resource: Resource, old: Ref, context: Context) -> Assessment:
    """What is to be done to a machine under the name that it has for now, and with its disks' present names."""
    ref, renames = resource.ref, context.renames
    # A disk has its former name for as long as that is there, whoever has taken the new one.
    disks = {
        new: before
        for new, before in renames.formerly.items()
        if new.kind == STORAGE_VOLUME and before in context.snapshot.objects
    }
    spec = dict(resource.spec)
    if "disks" in spec:
        spec["disks"] = [_as_called(disk, disks) for disk in spec["disks"]]
    needs = tuple(disks.get(need, need) for need in resource.depends_on)
    # The ledger has it under the name that its document last had on the host.
    known = ref if ref in renames.by_hand else old
    entry = context.owned.get(ref)
    owned = {**context.owned, old: replace(entry, ref=old)} if entry is not None else context.owned
    under = replace(resource, ref=old, spec=spec, depends_on=needs)
    found = machine.assess(under, context.snapshot.objects[old], replace(context, owned=owned))
    return _called(found, ref, known)


def _as_called(disk: Spec, disks: Mapping[Ref, Ref]) -> Spec:
    volume = Ref(STORAGE_VOLUME, disk.get("volume", ""))
    return {**disk, "volume": disks[volume].name} if volume in disks else disk


def _called(found: Assessment, ref: Ref, known: Ref) -> Assessment:
    """The same as being about `ref`, though it has another name; the ledger has it as `known`."""
    step, blocked, staged, record = found.step, found.blocked, found.staged, found.record
    if step is not None:
        step = replace(step, ref=ref, owned=replace(step.owned, ref=known) if step.owned is not None else None)
    return replace(
        found,
        step=step,
        blocked=replace(blocked, ref=ref) if blocked is not None else None,
        staged=replace(staged, ref=ref) if staged is not None else None,
        record=replace(record, ref=known) if record is not None else None,
    )


def _moved_paths(ref: Ref, context: Context) -> tuple[tuple[str, str], ...]:
    """The old and new paths of its own disks, also of those that have been renamed already."""
    volumes, found = context.host.volumes, []
    for new, old in context.renames.formerly.items():
        if context.desired.resources[new].parent == ref and new in volumes:
            path = volumes[new].path
            before = volumes[old].path if old in volumes else path.removesuffix(new.short_name) + old.short_name
            found.append((before, path))
    return tuple(found)


def _as_renamed(ref: Ref, present: Observed, paths: Mapping[str, str]) -> Observed:
    """A VM as it will be once it and its disks have their declared names, everything else as it is."""
    root = parse(present.xml)
    set_text_at(root, "name", ref.name)
    for source in root.findall("devices/disk/source"):
        for attribute in ("file", "dev"):
            if (moved := paths.get(source.get(attribute, ""))) is not None:
                source.set(attribute, moved)
    return replace(present, ref=ref, xml=serialise(root))


def assess_disk(resource: Resource, parent: Ref, old: Ref, context: Context) -> Assessment:
    """What to do about a disk of a machine that is called after that one's former name."""
    of_machine = {parent, context.renames.present.get(parent, parent)}
    objects = context.snapshot.objects
    machine_now = assess_machine(
        context.desired.resources[parent], context.renames.present.get(parent, parent), context
    )
    if machine_now.blocked is not None or any(objects[ref].active for ref in of_machine if ref in objects):
        under = replace(resource, ref=old)  # it can grow all the same
        return _called(volume.assess(under, context.snapshot.objects[old], context), resource.ref, old)
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
