"""Puts steps into order by their references, and stops what depends on something that won't come.

What `spares` something (see `rules`) isn't stopped as a whole: it is assessed again without what is missing, and does
what doesn't need that.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter

from reconciler.bulkhead import Failure, contained
from reconciler.desired.state import DesiredState
from reconciler.planning.context import Context, has_object
from reconciler.planning.failed import failed
from reconciler.planning.observing import under_observation
from reconciler.planning.operations import Rename
from reconciler.planning.plan import Action, Blocked, Step
from reconciler.planning.rules import kinds_that, rules_of
from reconciler.planning.scopes import SCOPE_CHANGED
from reconciler.planning.virtualmachine.attached import has_volume
from specs.effect import Effect
from specs.reference import Ref

_ANOTHERS = frozenset({"OwnedByOther", SCOPE_CHANGED})

# What one does without some of what it needs: a step, or none.
Lesser = Callable[[Ref, frozenset[Ref]], Step | None]


@dataclass(frozen=True, slots=True)
class _Missing:
    """What a step needs and won't get, and the sentence for each. `soon`: one of them may show after another step."""

    needs: Mapping[Ref, str]
    soon: bool = False
    failure: Failure | None = None  # instead: that couldn't be found out

    @property
    def spares(self) -> bool:
        """Whether the rest of the step can be done without it."""
        return self.failure is None and not self.soon

    def blocked(self, step: Step) -> Blocked:
        """The first of it, as the plan shows it."""
        if self.failure is not None:
            return failed(step.ref, self.failure, step.path, step.line)
        return Blocked(step.ref, "DependencyNotReady", self.needs[min(self.needs)], step.path, step.line)


def _nothing(_ref: Ref, _missing: frozenset[Ref]) -> Step | None:
    return None


def ordered(
    steps: Mapping[Ref, Step], blocked: Mapping[Ref, Blocked], context: Context, lesser: Lesser = _nothing
) -> tuple[list[Step], list[Blocked]]:
    """Steps with their `after` filled in, those first that others wait for, and everything that is blocked now."""
    refused = dict(blocked)
    kept = dict(steps)
    without: dict[Ref, frozenset[Ref]] = {}  # what one is known to do without
    needs: dict[Ref, frozenset[Ref]] = {}
    for ref, step in steps.items():
        found = contained("finding what it needs", ref, "", _needs, step, context)
        if isinstance(found, Failure):
            refused[ref] = failed(ref, found, step.path, step.line)
            del kept[ref]
        else:
            needs[ref] = found
    users = _users(needs)
    # A blocked reference blocks whoever needs it, which may block somebody else: on until nobody is left to look at.
    looked_at: Iterable[Ref] = steps
    while looked_at:
        newly = {
            ref: missing
            for ref in looked_at
            if ref in kept and (missing := _held(kept[ref], kept, refused, without.get(ref, frozenset()), context))
        }
        stopped: list[Ref] = []
        for ref, missing in newly.items():
            refused.setdefault(ref, missing.blocked(kept[ref]))
            without[ref] = without.get(ref, frozenset()) | missing.needs.keys()
            less = _less(ref, without[ref], lesser) if rules_of(ref.kind).spares and missing.spares else None
            if less is not None:
                kept[ref] = less
            else:
                del kept[ref]
                stopped.append(ref)
        looked_at = sorted({user for ref in stopped for user in users.get(ref, ())})
    refused |= dict(_lacking_at_rest(kept, refused, context))
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
        for need in needed.union(*(each.holders for each in needed)):
            found.setdefault(need, []).append(ref)
    return found


def _lacking_at_rest(
    kept: Mapping[Ref, Step], refused: Mapping[Ref, Blocked], context: Context
) -> Iterator[tuple[Ref, Blocked]]:
    """Those about which nothing is to be done, and which lack what their next start needs: that is told too."""
    if not _needed(context.desired) - context.snapshot.objects.keys() - kept.keys():
        return  # nearly always
    for ref, resource in context.desired.resources.items():
        if not rules_of(ref.kind).spares or ref in kept or ref in refused or ref not in context.snapshot.objects:
            continue
        if ref in context.suspended or under_observation(resource, context.owned):
            continue
        if contained("telling its starts", ref, resource.digest, rules_of(ref.kind).starts, resource) is not True:
            continue  # it lacks nothing that anything waits for
        nothing = Step(ref, Action.UPDATE, "", Effect.LIVE, (), path=resource.path, line=resource.line)
        if (missing := _held(nothing, kept, refused, frozenset(), context)) is not None:
            yield ref, missing.blocked(nothing)


@lru_cache(maxsize=2)
def _needed(desired: DesiredState) -> frozenset[Ref]:
    """All that any of those refers to. The same desired state gives the same set again at no cost."""
    sparing = frozenset(kinds_that("spares"))
    users = (resource for resource in desired.resources.values() if resource.ref.kind in sparing)
    return frozenset(ref for resource in users for ref in resource.depends_on if has_object(ref))


def _needs(step: Step, context: Context) -> frozenset[Ref]:
    resource = context.desired.resources.get(step.ref)
    if resource is None or step.action is Action.DELETE:
        return frozenset()
    return frozenset(ref for ref in resource.depends_on if has_object(ref))


def _less(ref: Ref, without: frozenset[Ref], lesser: Lesser) -> Step | None:
    found = contained("planning without what is missing", ref, "", lesser, ref, without)
    return None if isinstance(found, Failure) else found


def _held(
    step: Step, steps: Mapping[Ref, Step], refused: Mapping[Ref, Blocked], without: frozenset[Ref], context: Context
) -> _Missing | None:
    found = contained("finding what it needs", step.ref, "", _missing, step, steps, refused, without, context)
    return _Missing({}, failure=found) if isinstance(found, Failure) else found


def _missing(
    step: Step, steps: Mapping[Ref, Step], refused: Mapping[Ref, Blocked], without: frozenset[Ref], context: Context
) -> _Missing | None:
    """Why a step can't be done: something it needs is neither on the host nor about to be."""
    found: dict[Ref, str] = {}
    soon = False
    for need in sorted(_needs(step, context) - without):
        coming = need in steps and steps[need].action is not Action.DELETE
        if need in refused and refused[need].reason in _ANOTHERS and not _has(step.ref, need, context):
            # It is there, but it is somebody's: no new machine may be given somebody's disk.
            found[need] = f"{step.ref} needs {need}, which is held back: {refused[need].message}"
            continue
        if need in context.snapshot.objects or coming or _called_otherwise(need, step, context):
            continue
        if rules_of(need.kind).is_optional and need not in context.desired.resources:
            continue
        if need in context.losses and rules_of(step.ref.kind).spares:
            continue  # it was assessed with that in mind
        if need in context.snapshot.unseen and _has(step.ref, need, context):
            continue  # it is there, and only can't be read
        if _unseen(need, steps, context):
            if _has(step.ref, need, context):
                continue
            # What it holds isn't known: made now, a disk or an overlay would get a guessed format, unchecked.
            message = f"{step.ref} waits for {need}, which only shows once its pool has been started"
            soon |= any(holder in steps for holder in need.holders)
        elif need in context.snapshot.unseen:
            message = f"{step.ref} needs {need}, which is on the host and can't be read; onggi's log says why"
        elif need in refused:
            message = f"{step.ref} needs {need}, which is held back: {refused[need].message}"
        elif need in context.desired.held:
            message = f"{step.ref} needs {need}, whose document has errors; correct it first"
        else:
            message = (
                f"{step.ref} needs {need}, which is neither in the repository nor on the host; declare it or correct "
                "the name"
            )
        found[need] = message
    return _Missing(found, soon) if found else None


def _called_otherwise(need: Ref, step: Step, context: Context) -> bool:
    """True for a disk whose name waits for its machine to be off, in a step that leaves both names as they are."""
    present, observed = context.renames.present, context.snapshot.get(step.ref)
    if need not in present or any(isinstance(operation, Rename) for operation in step.operations):
        return False
    return step.ref in present or (observed is not None and observed.active)


def _unseen(need: Ref, steps: Mapping[Ref, Step], context: Context) -> bool:
    for holder in need.holders:
        observed = context.snapshot.objects.get(holder)
        return holder in steps if observed is None else not observed.active
    return False


def _has(user: Ref, need: Ref, context: Context) -> bool:
    """True for a machine whose definition names the volume or network already, so that nothing about it is made up."""
    if user in context.users.get(need, ()):
        return True
    return bool(need.pool) and has_volume(context.snapshot.get(user), need)


def _topological(steps: Mapping[Ref, Step]) -> list[Step]:
    """Each behind what it comes after, alphabetical among equals: equal inputs give the same plan to the letter."""
    sorter = TopologicalSorter({ref: step.after for ref, step in steps.items()})
    # What waits in a circle can't be placed. Its steps stay, at the end; the executor tells them as skipped.
    with suppress(CycleError):
        sorter.prepare()
    placed: dict[Ref, Step] = {}
    ready: list[Ref] = []
    while sorter.is_active():
        ready.extend(sorted(sorter.get_ready(), reverse=True))
        ref = ready.pop()
        placed[ref] = steps[ref]
        sorter.done(ref)
    return [*placed.values(), *(steps[ref] for ref in sorted(steps.keys() - placed.keys()))]
