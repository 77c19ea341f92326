"""Decides what leaves: objects that are ours and whose document is gone. The most careful part of planning.

Nothing is removed while the source is empty or unreadable, nothing whose document is merely broken, nothing that
isn't provably ours, nothing that something else still uses, and no volume unless its document said Delete.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.desired.identity import object_uid
from reconciler.observed.snapshot import Observed
from reconciler.planning.assessment import Assessment
from reconciler.planning.context import Context
from reconciler.planning.machine import DEFAULT_SHUTDOWN_TIMEOUT_S
from reconciler.planning.operations import DeleteVolume, Operation, Stop, Undefine
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Action, Blocked, Step
from specs.effect import Effect
from specs.reference import STORAGE_POOL, STORAGE_VOLUME, VIRTUAL_MACHINE, Ref


def removals(context: Context) -> tuple[list[Assessment], list[str]]:
    """An assessment for everything of ours that is no longer declared, and notes about what is held back as a whole."""
    candidates = sorted(_candidates(context), key=lambda entry: entry.ref)
    if not candidates:
        return [], []
    if not context.desired.prunable:
        names = ", ".join(str(entry.ref) for entry in candidates[:5])
        more = f" and {len(candidates) - 5} more" if len(candidates) > 5 else ""
        return [], [
            f"nothing is removed while the source holds no readable document; without them, {names}{more} would be"
        ]
    leaving = frozenset(entry.ref for entry in candidates)
    return [found for entry in candidates if (found := _remove(entry, context, leaving)) is not None], []


def _candidates(context: Context) -> Iterator[Owned]:
    desired, objects = context.desired, context.snapshot.objects
    wanted_uids = {resource.uid for resource in desired.resources.values() if resource.uid}
    ledger = dict(context.owned)
    for ref, observed in objects.items():
        if ref not in ledger and (found := _proven(ref, observed, context)) is not None:
            ledger[ref] = found
    for ref, entry in ledger.items():
        present = objects.get(ref)
        if present is None or ref in desired.resources or ref in desired.held or ref in context.suspended:
            continue
        if entry.parent is not None and (entry.parent in desired.held or entry.parent in context.suspended):
            continue
        if _is_held(entry.path, context):
            continue  # its document may be the one that can't be read
        if present.uid != entry.uid or (present.uid and present.uid in wanted_uids):
            continue  # something else took the name, or it was renamed
        if ref.kind == STORAGE_VOLUME and not entry.seed and (entry.deletion != "Delete" or not entry.created):
            continue
        yield entry


def _is_held(path: str, context: Context) -> bool:
    """True when the file can't be read, or lay in a folder that a link or a submodule has taken the place of."""
    held = context.desired.held_paths
    if not path:
        return bool(held or context.desired.held)
    return any(path == one or path.startswith(f"{one}/") for one in held)


def _proven(ref: Ref, observed: Observed, context: Context) -> Owned | None:
    """Ours although the ledger doesn't know it: by its mark, or by a UUID that only this repository derives."""
    repository = context.desired.repository_id
    mark = observed.mark
    marked = mark is not None and mark.repository_id == repository and mark.name == ref.name
    if marked or (observed.uid and observed.uid == object_uid(repository, ref, "")):
        return Owned(ref, observed.uid)
    return None


def _remove(entry: Owned, context: Context, leaving: frozenset[Ref]) -> Assessment | None:
    ref = entry.ref
    observed = context.snapshot.objects[ref]
    staying = sorted(user for user in context.users.get(ref, frozenset()) - leaving if _keeps_using(user, ref, context))
    if staying:
        if entry.seed:
            return None  # a seed goes with its last user, without a word
        message = f"{ref} is no longer declared, but {', '.join(map(str, staying))} still uses it; it stays until then"
        return Assessment(blocked=Blocked(ref, "InUse", message, entry.path))
    if entry.facts.get(Fact.PROTECT):
        message = (
            f"{ref} is protected by the annotation onggi/protect; to remove it, commit its document without the "
            "annotation first"
        )
        return Assessment(blocked=Blocked(ref, "Protected", message, entry.path))
    operations: list[Operation]
    if ref.kind == STORAGE_VOLUME:
        operations = [DeleteVolume(ref)]
        why = "its cloud-init data changed" if entry.seed else "its document is gone and says deletionPolicy: Delete"
    else:
        operations = [_stop(entry)] if observed.active else []
        operations.append(Undefine(ref, entry.uid))
        why = "its document is gone"
        if ref.kind in (VIRTUAL_MACHINE, STORAGE_POOL):
            why += "; its volumes stay" if entry.deletion != "Delete" else ""
    step = Step(
        ref=ref,
        action=Action.DELETE,
        why=why,
        effect=Effect.LIVE,
        operations=tuple(operations),
        after=context.users.get(ref, frozenset()),
        path=entry.path,
    )
    return Assessment(step=step)


def _keeps_using(user: Ref, ref: Ref, context: Context) -> bool:
    """False for a VM whose new document no longer mentions `ref`: it is changed first, in the same plan."""
    resource = context.desired.resources.get(user)
    if resource is None or user.kind != VIRTUAL_MACHINE:
        return True
    observed = context.snapshot.objects[user]
    return observed.active or ref in resource.depends_on


def _stop(entry: Owned) -> Stop:
    timeout = float(entry.facts.get(Fact.SHUTDOWN_TIMEOUT) or DEFAULT_SHUTDOWN_TIMEOUT_S)
    return Stop(entry.ref, timeout, bool(entry.facts.get(Fact.FORCE_STOP)))
