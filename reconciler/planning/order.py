"""Puts steps into order by their references, and stops what depends on something that won't come."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace

from reconciler.bulkhead import Failure, contained
from reconciler.planning.context import Context, has_object
from reconciler.planning.failed import failed
from reconciler.planning.operations import Rename
from reconciler.planning.plan import Action, Blocked, Step
from reconciler.planning.scopes import SCOPE_CHANGED
from specs.reference import STORAGE_POOL, Ref

_ANOTHERS = frozenset({"OwnedByOther", SCOPE_CHANGED})


def ordered(
    steps: Mapping[Ref, Step], blocked: Mapping[Ref, Blocked], context: Context
) -> tuple[list[Step], list[Blocked]]:
    """Steps with their `after` filled in, those first that others wait for, and everything that is blocked now."""
    refused = dict(blocked)
    kept = dict(steps)
    needs = {ref: _needs(step, context) for ref, step in steps.items()}
    users = _users(needs)
    # A blocked reference blocks whoever needs it, which may block somebody else: on until nobody is left to look at.
    looked_at: Iterable[Ref] = steps
    while looked_at:
        newly = {
            ref: reason for ref in looked_at if ref in kept and (reason := _held(kept[ref], kept, refused, context))
        }
        refused.update(newly)
        for ref in newly:
            del kept[ref]
        looked_at = sorted({user for ref in newly for user in users.get(ref, ())})
    final = {}
    for ref, step in kept.items():
        after = _after(step, needs[ref], kept)
        final[ref] = step if after == step.after else replace(step, after=after)
    return _topological(final), [refused[ref] for ref in sorted(refused)]


def _after(step: Step, needs: frozenset[Ref], coming: Container[Ref]) -> frozenset[Ref]:
    """What a step comes after. `coming` is only asked, and never walked through: there are as many of them as steps."""
    return frozenset(need for need in step.after | needs if need in coming and need != step.ref)


def _users(needs: Mapping[Ref, frozenset[Ref]]) -> Mapping[Ref, list[Ref]]:
    """Who has to be looked at again when something won't come: whoever needs it, or a volume of it."""
    found: dict[Ref, list[Ref]] = {}
    for ref, needed in needs.items():
        for need in needed | {Ref(STORAGE_POOL, volume.pool) for volume in needed if volume.pool}:
            found.setdefault(need, []).append(ref)
    return found


def _needs(step: Step, context: Context) -> frozenset[Ref]:
    resource = context.desired.resources.get(step.ref)
    if resource is None or step.action is Action.DELETE:
        return frozenset()
    return frozenset(ref for ref in resource.depends_on if has_object(ref))


def _held(step: Step, steps: Mapping[Ref, Step], refused: Mapping[Ref, Blocked], context: Context) -> Blocked | None:
    found = contained("finding what it needs", step.ref, "", _missing, step, steps, refused, context)
    return failed(step.ref, found, step.path, step.line) if isinstance(found, Failure) else found


def _missing(step: Step, steps: Mapping[Ref, Step], refused: Mapping[Ref, Blocked], context: Context) -> Blocked | None:
    """Why a step can't be done: something it needs is neither on the host nor about to be."""
    for need in sorted(_needs(step, context)):
        coming = need in steps and steps[need].action is not Action.DELETE
        if need in refused and refused[need].reason in _ANOTHERS and not _has(step.ref, need, context):
            # It is there, but it is somebody's: no new machine may be given somebody's disk.
            message = f"{step.ref} needs {need}, which is held back: {refused[need].message}"
            return Blocked(step.ref, "DependencyNotReady", message, step.path, step.line)
        if need in context.snapshot.objects or coming or _called_otherwise(need, step, context):
            continue
        if _unseen(need, steps, context):
            if _has(step.ref, need, context):
                continue
            # What it holds isn't known: made now, a disk or an overlay would get a guessed format, unchecked.
            message = f"{step.ref} waits for {need}, which only shows once its pool has been started"
        elif need in refused:
            message = f"{step.ref} needs {need}, which is held back: {refused[need].message}"
        elif need in context.desired.held:
            message = f"{step.ref} needs {need}, whose document has errors; correct it first"
        else:
            message = (
                f"{step.ref} needs {need}, which is neither in the repository nor on the host; declare it or correct "
                "the name"
            )
        return Blocked(step.ref, "DependencyNotReady", message, step.path, step.line)
    return None


def _called_otherwise(need: Ref, step: Step, context: Context) -> bool:
    """True for a disk whose name waits for its machine to be off, in a step that leaves both names as they are."""
    present, observed = context.renames.present, context.snapshot.get(step.ref)
    if need not in present or any(isinstance(operation, Rename) for operation in step.operations):
        return False
    return step.ref in present or (observed is not None and observed.active)


def _unseen(need: Ref, steps: Mapping[Ref, Step], context: Context) -> bool:
    if not need.pool:
        return False
    pool = Ref(STORAGE_POOL, need.pool)
    observed = context.snapshot.objects.get(pool)
    return (pool in steps and observed is None) or (observed is not None and not observed.active)


def _has(user: Ref, volume: Ref, context: Context) -> bool:
    """True for a machine whose definition names the volume already, so that nothing about it is made up."""
    observed = context.snapshot.objects.get(user)
    return observed is not None and volume.short_name in observed.xml


def _topological(steps: Mapping[Ref, Step]) -> list[Step]:
    """Kahn's algorithm, alphabetical among equals, so that equal inputs give the same plan to the letter."""
    waiting = {ref: set(step.after) for ref, step in steps.items()}
    followers: dict[Ref, list[Ref]] = {}
    for ref, needs in waiting.items():
        for need in needs:
            followers.setdefault(need, []).append(ref)
    ready = sorted((ref for ref, needs in waiting.items() if not needs), reverse=True)
    result: list[Step] = []
    while ready:
        ref = ready.pop()
        result.append(steps[ref])
        freed = []
        for follower in followers.get(ref, ()):
            waiting[follower].discard(ref)
            if not waiting[follower]:
                freed.append(follower)
        ready.extend(sorted(freed, reverse=True))
    # What is left waits in a circle. Its steps keep their places at the end; the executor reports them as skipped.
    placed = {step.ref for step in result}
    return result + [steps[ref] for ref in sorted(steps.keys() - placed)]
