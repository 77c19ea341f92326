"""Decides about one storage volume: make it once, grow it in place, and refuse whatever would cost data."""

from __future__ import annotations

from dataclasses import replace

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.assessment import Assessment, ownership_entry
from reconciler.planning.claim import blocked, claim_volume
from reconciler.planning.context import Context
from reconciler.planning.diff import compare
from reconciler.planning.operations import CreateVolume, DeleteVolume, GrowVolume
from reconciler.planning.ownership import Fact, kept_count, remade_before
from reconciler.planning.plan import Action, Blocked, Step
from reconciler.planning.projected_host import future_format
from reconciler.planning.reaching import within_reach
from reconciler.planning.scopes import elsewhere
from reconciler.planning.storagevolume.loss import held
from reconciler.planning.storagevolume.lost import Loss
from reconciler.planning.virtualmachine.migration import away_users, untouched
from reconciler.planning.why import is_drift, not_applied, why_changed
from specs.binding import serialise, write
from specs.effect import Change, Effect
from specs.host import Feature
from specs.problem import Unrenderable
from specs.reference import STORAGE_POOL, Ref
from specs.storagevolume import KIND as VOLUMES
from specs.storagevolume import xml


def assess(resource: Resource, observed: Observed | None, context: Context) -> Assessment:
    """What to do about one volume."""
    found = within_reach(resource, observed, context, lambda wanted: _assess(wanted, observed, context))
    if (found.step is not None or observed is None) and (users := away_users(resource.ref, context)):
        return Assessment(blocked=untouched(resource, users))
    return found


def _assess(resource: Resource, observed: Observed | None, context: Context) -> Assessment:
    try:
        if observed is None:
            pool = Ref(STORAGE_POOL, resource.ref.pool)
            if (seen := context.snapshot.get(pool)) is not None and not seen.active:
                message = f"{pool} isn't active, so its volumes can't be seen; {resource.ref} is looked for once it is"
                return Assessment(blocked=_block(resource, "DependencyNotReady", message))
            if seen is None and resource.ref in context.owned and pool in context.desired.resources:
                message = (
                    f"{pool} isn't on the host, so its volumes can't be seen; {resource.ref} is looked for once it is"
                )
                return Assessment(blocked=_block(resource, "DependencyNotReady", message))
            loss = context.losses.get(resource.ref)
            if loss is not None and not loss.allowed:
                return Assessment(blocked=held(resource, loss, context))
            return Assessment(step=_create(resource, context, loss))
        return _existing(resource, observed, context)
    except Unrenderable as error:
        return Assessment(blocked=_block(resource, "DependencyNotReady", str(error)))


def _create(resource: Resource, context: Context, loss: Loss | None = None) -> Step:
    """Made anew in the place of one that is lost where there is a `loss`, because somebody has said so."""
    name = resource.ref.short_name
    declared = VOLUMES.declared(resource.spec)
    lowered = xml.lower(declared, name=name, uid="", host=context.host)
    if resource.has_content:
        lowered = {**lowered, "capacity": len(resource.content or b"")}
    root = write(xml.BINDS, xml.skeleton(lowered, name=name, uid="", host=context.host), lowered)
    source = declared.get("source")
    url, digest = ("", "") if source is None else (source["url"], source.get("sha256", ""))
    tables = declared.get("preallocation", "off") != "off" and root.find("target/format[@type='qcow2']") is not None
    operation = CreateVolume(resource.ref, serialise(root), resource.content, url, digest, tables=tables)
    known = {}
    if source and "format" not in declared and resource.ref.pool in context.host.pool_paths:
        known[Fact.FORMAT.value] = future_format(resource)
    why = f"a disk of {resource.parent}" if resource.parent else "declared, and not on the host"
    if loss is not None:
        known[Fact.REMADE.value] = str(remade_before(context.owned.get(resource.ref)) + 1)
        why = f"it was lost, and is made anew: {loss.allowed}"
    return Step(
        ref=resource.ref,
        action=Action.CREATE,
        why=why,
        effect=Effect.LIVE,
        operations=(operation,),
        changes=tuple(Change(f"/{key}", None, value, Effect.LIVE) for key, value in resource.spec.items()),
        path=resource.path,
        line=resource.line,
        owned=ownership_entry(resource, "", created=True, **known),
    )


def _existing(resource: Resource, observed: Observed, context: Context) -> Assessment:
    entry = context.owned.get(resource.ref)
    if (refusal := claim_volume(resource, observed, context)) is not None:
        return Assessment(blocked=blocked(resource, refusal))
    seed = resource.has_content  # named by its content: whatever has the name has the content
    changes = [] if seed else list(compare(resource, observed, context.host).config)
    ours = entry is not None or seed or resource.policy.adopt or _used_by_ours(resource, context)
    if not ours and (changes or resource.parent is not None):
        if (
            resource.ref in context.options.moving
        ):  # only just being made: the ledger says whose it is once that is done
            return Assessment()
        message = (
            f"{resource.ref} already exists on this host and onggi didn't make it; rename this document, or use the "
            'existing one with the annotation onggi/adopt: "true"'
        )
        return Assessment(blocked=_block(resource, "OwnedByOther", message))
    known = {Fact.FORMAT.value: entry.facts[Fact.FORMAT]} if entry is not None and Fact.FORMAT in entry.facts else {}
    created = entry.created if entry is not None else seed
    record = ownership_entry(resource, "", created=created, **known, **kept_count(entry))
    if seed and entry is None and not context.users.get(resource.ref):
        # Nobody remembers having finished it: it may lack bytes, and making it again costs nothing.
        made = _create(resource, context)
        operations = (DeleteVolume(resource.ref), *made.operations)
        why = f"it may be half-made: {made.why} that nobody remembers or uses"
        return Assessment(step=replace(made, action=Action.REPLACE, why=why, operations=operations))
    refused = next((change for change in changes if change.effect in (Effect.FORBIDDEN, Effect.RECREATE)), None)
    if refused is not None:
        reason = "ShrinkRefused" if refused.pointer == "/capacity" else "ChangeRefused"
        held = _block(resource, reason, _refusal(resource, refused))
        return Assessment(blocked=held, record=not_applied(record, entry))
    if not changes:
        return Assessment(record=record)
    drift_only = entry is not None and entry.facts.get("digest") == resource.digest
    if resource.policy.drift != "enforce" and drift_only:
        return Assessment(drifted=tuple(changes) if resource.policy.drift == "warn" else (), record=record)
    if not context.host.can(Feature.VOLUME_RESIZE):
        message = (
            f"{resource.ref} can't grow: this connection doesn't resize volumes; use one that does, qemu:///system"
        )
        return Assessment(blocked=_block(resource, "Unsupported", message), record=not_applied(record, entry))
    if resource.parent is not None and (above := context.host.above(str(observed.details.get("path") or ""))):
        message = (
            f"{resource.ref} can't grow while a snapshot lies above it, {', '.join(above)}, for its machine would see "
            "nothing of it; bring the snapshot's data back into it (virsh blockcommit, or qemu-img commit), or remove "
            "that file if nothing uses it"
        )
        return Assessment(blocked=_block(resource, "InUse", message), record=not_applied(record, entry))
    user, target = _running_user(resource.ref, context)
    step = Step(
        ref=resource.ref,
        action=Action.UPDATE,
        why=why_changed(resource, entry),
        effect=Effect.LIVE,
        operations=(GrowVolume(resource.ref, int(changes[0].new), user, target),),
        changes=tuple(changes),
        path=resource.path,
        line=resource.line,
        owned=record,
        drift=is_drift(resource, entry),
    )
    return Assessment(step=step)


def _refusal(resource: Resource, change: Change) -> str:
    what = f"{resource.ref}: {change.pointer.strip('/')} can't go from {change.old} to {change.new}"
    if change.pointer == "/capacity":
        return f"{what}: shrinking would cut off data; declare at least {change.old}"
    return f"{what} while the volume exists; declare a new volume and copy what is in this one"


def _used_by_ours(resource: Resource, context: Context) -> bool:
    """True when a VM of this repository has the volume, or a snapshot of it: proof enough after a lost ledger."""
    place = context.host.volumes.get(resource.ref)
    above = [context.present_at[path] for path in context.host.above(place.path)] if place is not None else []
    for user in (user for volume in (resource.ref, *above) for user in context.users.get(volume, ())):
        observed = context.snapshot.objects[user]
        if observed.mark is not None and elsewhere(observed, None, context) is None:
            return True
    return False


def _running_user(ref: Ref, context: Context) -> tuple[Ref | None, str]:
    """The running VM that has the volume open, and the device it is there."""
    for user in context.running_users(ref):
        spec = context.snapshot.objects[user].live or {}
        for disk in spec.get("disks", ()):
            source = disk.get("source") or {}
            path = source.get("file") or source.get("dev") or ""
            if context.volume_at.get(path) == ref or (source.get("pool"), source.get("volume")) == (
                ref.pool,
                ref.short_name,
            ):
                return user, str(disk.get("target", ""))
    return None, ""


def _block(resource: Resource, reason: str, message: str) -> Blocked:
    return Blocked(resource.ref, reason, message, resource.path, resource.line)
