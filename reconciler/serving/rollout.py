"""What has become of a change: come true, under way, or not to come true and why. Pure: it looks at one world."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto

from reconciler.errors import NotApplied
from reconciler.loop.passes import World
from reconciler.planning.plan import Blocked, Step
from reconciler.serving.asked import EVERYTHING, Asked, concerns
from specs.reference import Ref

_MAY_COME = frozenset({"DependencyNotReady"})  # while what it depends on is being made


class Rollout(Enum):
    """The two answers that are no error."""

    COMPLETE = auto()
    PROGRESSING = auto()


def rollout(world: World, refs: Iterable[Ref], asked: Asked = EVERYTHING) -> Rollout:
    """Are these objects as the revision in force says? Their own disks and seeds count too.

    Where `asked` tells what was changed of an object, the failure of anything else of it doesn't count. What a sync
    window or a suspension keeps from being applied is settled: it's committed, and nothing more is going to happen now.
    Raises NotApplied for what was refused or failed; it has been committed all the same.
    """
    concerned = family(world, frozenset(refs))
    _check_documents(world, concerned)
    if world.busy & concerned:
        return Rollout.PROGRESSING
    pending = {step.ref: step for step in world.plan.steps if step.ref in concerned}
    for item in world.plan.blocked:
        # What waits of a machine alone for a person, such as a disk that leaves, is no answer to another change of it.
        if item.ref in concerned and not item.part and not _may_come(item, world):
            raise NotApplied(item.message, reason=item.reason, ref=item.ref, digest=item.digest)
    if world.closed or not pending:
        return Rollout.COMPLETE
    found, failing = Rollout.COMPLETE, world.failing
    for ref, step in pending.items():
        failed = next((each for each in (ref, *step.after) if each in failing), None)
        if failed is None or failing[failed].step is step:
            found = Rollout.PROGRESSING  # in the second case just tried: only the next look tells how far it came
        elif _is_asked_for(step, world, asked):
            raise NotApplied(failing[failed].message, reason="Failed", ref=failed, cause=failing[failed].error)
    return found


def _is_asked_for(step: Step, world: World, asked: Asked) -> bool:
    resource = world.desired.resources.get(step.ref)
    owner = resource.parent if resource is not None and resource.parent is not None else step.ref
    return owner not in asked or concerns(step, owner, asked[owner])


def family(world: World, refs: frozenset[Ref]) -> frozenset[Ref]:
    """These objects and what belongs to them: a machine's own disks and seed, also those that leave."""
    implied = {ref for ref, resource in world.desired.resources.items() if resource.parent in refs}
    return refs | implied | {ref for ref, entry in world.owned.items() if entry.parent in refs}


def _check_documents(world: World, concerned: frozenset[Ref]) -> None:
    for problem in world.desired.problems:
        if problem.ref in concerned:
            raise NotApplied(str(problem), reason="InvalidDocument", ref=problem.ref)


def _may_come(item: Blocked, world: World) -> bool:
    return item.reason in _MAY_COME and not world.closed and bool(world.plan.steps or world.busy)
