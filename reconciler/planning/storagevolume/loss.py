"""What was on the host, held data, and is gone: lost until somebody says otherwise, and never made again by itself.

A disk that comes back new and empty looks like a healed one, and hides that a guest's data is away; perhaps it only
lies somewhere else. That a volume existed is known from the ledger, from the definition of a machine that still names
it, from that machine's mark, which lists what was declared when it was last defined, or from a volume that was made on
it: none of them is written before a volume is whole. What can't be seen (its pool is off or away) isn't lost, a seed is
derived from its document, and what was deleted by an order has left the ledger.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from reconciler.desired.state import Resource
from reconciler.planning.approval import approval_digest
from reconciler.planning.ownership import remade_before
from reconciler.planning.plan import Blocked
from reconciler.planning.storagevolume.lost import Loss
from reconciler.planning.virtualmachine.migration import away_users
from specs.reference import STORAGE_POOL, STORAGE_VOLUME, VIRTUAL_MACHINE, Ref
from specs.storagevolume import KIND as VOLUMES

if TYPE_CHECKING:
    from reconciler.planning.context import Context

DATA_LOST = "DataLost"  # the reason of what is held back for it, and the condition's type

RECREATE = "recreate"
_DISKS = "/disks/"  # what the pointers of disks in a mark begin with
_ALL_AT_ONCE = 2  # as many volumes that are missing from an empty pool are rather a file system that isn't mounted


def find_losses(context: Context) -> Mapping[Ref, Loss]:
    """Every declared volume that is lost. Costs nothing while each one is there."""
    objects = context.snapshot.objects
    declared_before: dict[str, Ref] | None = None
    found: dict[Ref, Loss] = {}
    for ref, resource in context.desired.resources.items():
        if ref.kind != STORAGE_VOLUME or ref in objects or resource.has_content or ref in context.renames.present:
            continue
        if ref in context.options.moving:
            continue  # the ledger may know already what the snapshot can't show yet
        pool = objects.get(Ref(STORAGE_POOL, ref.pool))
        if pool is None or not pool.active or ref in context.snapshot.unseen:
            continue
        if away_users(ref, context):
            continue  # its machine may have taken it along
        if declared_before is None:
            declared_before = dict(_declared_before(context))
        if evidence := next(_evidence(ref, context, declared_before), ""):
            found[ref] = _loss(resource, evidence, context)
    return found


def _declared_before(context: Context) -> Iterator[tuple[str, Ref]]:
    """The names of the volumes that our machines were defined with, by their marks."""
    for machine, observed in context.snapshot.objects.items():
        mark = observed.mark
        if mark is not None and mark.repository_id == context.desired.repository_id:
            for pointer in mark.managed:
                if pointer.startswith(_DISKS):
                    yield pointer.removeprefix(_DISKS), machine


def _evidence(ref: Ref, context: Context, declared_before: Mapping[str, Ref]) -> Iterator[str]:
    """What tells that the volume was on the host once, the best first."""
    names = {ref, context.renames.formerly.get(ref, ref)}
    entry = next((context.owned[name] for name in names if name in context.owned), None)
    if entry is not None:
        yield "onggi made it" if entry.created else "onggi took it over"
    for name in sorted(names):
        for user in sorted(context.users.get(name, ())):
            if _is_ours(user, ref, context):
                yield f"the definition of {user} names it" if user.kind == VIRTUAL_MACHINE else f"{user} lies above it"
    for name in names:
        if (machine := declared_before.get(name.name)) is not None:
            yield f"{machine} was defined with it"


def _is_ours(user: Ref, volume: Ref, context: Context) -> bool:
    mark = context.snapshot.objects[user].mark
    resource = context.desired.resources.get(user)
    ours = mark is not None and mark.repository_id == context.desired.repository_id
    return ours or (resource is not None and volume in resource.depends_on)


def _loss(resource: Resource, evidence: str, context: Context) -> Loss:
    ref = resource.ref
    # Not bound to the revision, which has no part in it: to what would be made, and to this loss alone.
    before = remade_before(context.owned.get(ref))
    digest = approval_digest(json.dumps(["make again", str(ref), before]), resource.digest, ())
    allowed = ""
    if digest in context.options.approved:
        allowed = "that was approved"
    elif VOLUMES.declared(resource.spec).get("onLoss") == RECREATE:
        allowed = f"onLoss: {RECREATE} says so"
    return Loss(ref, evidence, digest, allowed)


def held_losses(resource: Resource, context: Context) -> frozenset[Ref]:
    """What of a machine's volumes, or of those that they are backed by, is lost and isn't to be made again."""
    if not any(not loss.allowed for loss in context.losses.values()):
        return frozenset()
    found: set[Ref] = set()
    seen: set[Ref] = set()
    pending = list(resource.depends_on)
    while pending:
        ref = pending.pop()
        if ref.kind != STORAGE_VOLUME or ref in seen:
            continue
        seen.add(ref)
        if (loss := context.losses.get(ref)) is not None and not loss.allowed:
            found.add(ref)
        elif (volume := context.desired.resources.get(ref)) is not None:
            pending += volume.depends_on
    return frozenset(found)


def held(resource: Resource, loss: Loss, context: Context) -> Blocked:
    """The volume as the plan shows it: what happened, and what can be done."""
    ref = loss.ref
    place = context.host.volume_source(ref)
    where = f" ({place.path})" if place is not None else ""
    away = _missing_beside(ref, context)
    if len(away) >= _ALL_AT_ONCE:
        folder = context.host.pool_paths.get(ref.pool, "")
        at = f" at {folder}" if folder else ""
        remedy = (
            f"none of the {len(away)} volumes that are known in the pool {ref.pool} is there: if what was mounted{at} "
            f"is away, mount it again and run `virsh pool-refresh {ref.pool}`; otherwise bring them back from a backup"
        )
    else:
        remedy = f"bring it back (from a backup; then `virsh pool-refresh {ref.pool}`)"
    running = ", ".join(map(str, context.running_users(ref)))
    rescue = f"; {running} still runs with it open: save what it holds before it is switched off" if running else ""
    message = (
        f"{ref}{where} was on this host ({loss.evidence}) and is gone, with the data in it; {remedy}{rescue}. To have "
        f"{_what_comes(resource)} made in its place: onggi approve {loss.digest}"
    )
    return Blocked(ref, DATA_LOST, message, resource.path, resource.line, loss.digest)


def _what_comes(resource: Resource) -> str:
    if VOLUMES.declared(resource.spec).get("source"):
        return "it downloaded again"
    backing = VOLUMES.declared(resource.spec).get("backingVolume")
    return f"a fresh copy of {backing}" if backing else "an empty one"


def _missing_beside(ref: Ref, context: Context) -> list[Ref]:
    """All that is lost in the same pool, when nothing at all is left there."""
    if any(seen.pool == ref.pool for seen in context.snapshot.objects if seen.kind == STORAGE_VOLUME):
        return []
    return [other for other in context.losses if other.pool == ref.pool]
