"""Makes the plan: one assessment for each declared resource, one for each that has to leave, then their order.

What was found out about a resource is remembered for as long as the resource, its object, its entry in the ledger and
all that lies beside them (`surroundings`) are as before, so that a pass costs in proportion to what changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from reconciler.bulkhead import Failure, contained
from reconciler.desired.state import DesiredState
from reconciler.observed.snapshot import Snapshot
from reconciler.planning import prune
from reconciler.planning.activation import Activation
from reconciler.planning.assessment import Assessment
from reconciler.planning.context import Context, has_object
from reconciler.planning.diff import with_ignored_state
from reconciler.planning.failed import failed, unreadable
from reconciler.planning.gathered import Gathered
from reconciler.planning.last_seen import LastSeen
from reconciler.planning.observing import only_told, under_observation
from reconciler.planning.order import ordered
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Action, Blocked, Plan, Step, Waiting
from reconciler.planning.plan_options import PlanOptions
from reconciler.planning.projected_host import ProjectedHosts
from reconciler.planning.rules import Assessor, all_rules, kinds_that, rules_of
from reconciler.planning.scopes import in_scope
from reconciler.planning.still_in_use import used_all_the_same
from reconciler.planning.surroundings import Own, Surroundings, are_all, beside, owning
from reconciler.planning.suspended_changes import changed_meanwhile
from reconciler.planning.unchanged import Unchanged
from reconciler.planning.vanished import MISSING, left_missing
from reconciler.planning.virtualmachine.data_guard import parted
from reconciler.planning.virtualmachine.rename_hint import rename_hints
from reconciler.planning.virtualmachine.retention import Kept, Retention
from specs.effect import Change
from specs.reference import Ref

_NO_TERMS = PlanOptions()


@dataclass(frozen=True, slots=True, eq=False)
class _Remembered:
    """What was found out about a resource, and from what."""

    own: Own
    beside: tuple[object, ...]
    assessment: Assessment
    settled: bool  # it is there, and as it should be: what is missing, or moves, is looked at afresh
    silent: bool = False  # and a plan has nothing to say of it, nor to write down


class Planner:
    """Plans pass after pass. Holds nothing but a cache: two planners give the same plan."""

    def __init__(self) -> None:
        self._memory: dict[Ref, _Remembered] = {}
        self._surroundings: Surroundings | None = None  # those of what is remembered
        self._foresight = ProjectedHosts()
        self._keeper = Retention()
        self._unchanged: Unchanged | None = None

    def plan(
        self,
        desired: DesiredState,
        snapshot: Snapshot,
        owned: Mapping[Ref, Owned],
        suspended: frozenset[Ref] = frozenset(),
        options: PlanOptions = _NO_TERMS,
        last_seen: Callable[[Ref], LastSeen | None] = lambda _ref: None,
    ) -> Plan:
        """What to do so that the host is as the revision says. `last_seen` tells how what is gone was."""
        before = self._unchanged
        if before is not None and before.holds(desired, snapshot, owned, suspended, options):
            return before.plan
        self._unchanged = None
        plan = self._plan(desired, snapshot, owned, suspended, options, last_seen)
        now = Unchanged(desired, snapshot, owned, suspended, options, plan)
        self._unchanged = now if now.lasts() else None
        return plan

    def _plan(
        self,
        desired: DesiredState,
        snapshot: Snapshot,
        owned: Mapping[Ref, Owned],
        suspended: frozenset[Ref],
        options: PlanOptions,
        last_seen: Callable[[Ref], LastSeen | None],
    ) -> Plan:
        context = Gathered(desired, snapshot, owned, suspended, options, last_seen, self._foresight)
        if known := context.renames.entries(owned, snapshot):
            context = replace(context, owned={**owned, **known})
        kept = self._keeper.keep(context)
        if kept.desired is not desired:
            desired = kept.desired
            context = replace(context, desired=desired)
        steps: dict[Ref, Step] = {}
        blocked: dict[Ref, Blocked] = {}
        missing: list[tuple[Ref, tuple[Change, ...]]] = []
        left_alone: list[tuple[Ref, tuple[Change, ...]]] = []
        assessments: dict[Ref, Assessment] = {}
        alone = frozenset(kinds_that("stands_alone"))
        assess = {kind: rules.assessor(context) or Activation(context) for kind, rules in all_rules().items()}
        some_observed = bool(context.only_observed)
        around = contained("looking around", "the plan", str(desired.revision), Surroundings.of, context)
        surroundings = around if isinstance(around, Surroundings) else None
        if surroundings is None or not surroundings.remind_of(self._surroundings):
            self._memory = {}
        nothing_beside = surroundings is not None and surroundings.same_as(self._surroundings)
        before = self._memory if nothing_beside else {}
        all_alike = not suspended and not some_observed
        memory: dict[Ref, _Remembered] = {}
        own = owning(context)
        for ref, resource in desired.resources.items():
            found = before.get(ref) if ref.kind in alone else None
            is_as_before = found is not None and found.settled and found.own == own(resource)
            if found is not None and is_as_before and found.silent and all_alike and ref not in kept.remembered:
                memory[ref] = found
                continue  # nearly all
            if not has_object(ref):
                continue
            is_left_alone = ref in suspended or resource.parent in suspended
            assessed: _Remembered | Failure
            if found is not None and is_as_before:
                assessed = found
            else:
                assessed = contained("planning", ref, resource.digest, self._assess, own(resource), context, assess)
            if isinstance(assessed, Failure):
                if not is_left_alone:
                    blocked[ref] = failed(ref, assessed, resource.path, resource.line)
                continue
            memory[ref] = assessed
            if is_left_alone:
                if changes := changed_meanwhile(assessed.assessment, resource, context.owned.get(ref)):
                    left_alone.append((ref, changes))
                continue
            assessment = assessed.assessment
            if some_observed and under_observation(resource, context.owned):
                assessment = only_told(assessment, context.owned.get(ref))
            if ref in kept.remembered:
                assessment = assessment.with_fact(Fact.KEPT, kept.remembered[ref])
            assessments[ref] = assessment
            if assessment.step is not None:
                steps[ref] = assessment.step
            if assessment.blocked is not None:
                blocked[ref] = assessment.blocked
        for ref in left_missing(steps, context):
            del steps[ref]
            if desired.resources[ref].policy.drift == "warn":
                missing.append((ref, MISSING))
        self._memory, self._surroundings = memory, surroundings
        leaving = prune.contained_removals(context, steps)
        for assessment in leaving.assessments:
            if assessment.step is not None:
                steps[assessment.step.ref] = assessment.step
            if assessment.blocked is not None:
                blocked[assessment.blocked.ref] = assessment.blocked
        for item in (*kept.blocked, *parted(steps.values(), kept.let_go, context)):
            if not item.part:
                blocked[item.ref] = item
                steps.pop(item.ref, None)
        for ref, giver in kept.after.items():
            if ref in steps:
                steps[ref] = replace(steps[ref], after=steps[ref].after | {giver})
        coming = [ref for ref, step in steps.items() if step.action is Action.CREATE]
        going = [item.ref for each in leaving.assessments for item in (each.step, each.blocked) if item is not None]
        beside_the_plan = [note for rules in all_rules().values() for note in rules.notes(context)]
        hints = tuple(rename_hints(coming, going, context))
        in_order, held_back = ordered(steps, blocked, context, partial(self._lesser, context, kept, assessments))
        used = dict(used_all_the_same({step.ref: step for step in in_order}, context))
        done = tuple(step for step in in_order if step.ref not in used)
        records = (*_to_remember(assessments, done), *leaving.records)
        return Plan(
            revision=str(desired.revision),
            steps=done,
            blocked=(*held_back, *filter(None, used.values()), *(item for item in kept.blocked if item.part)),
            waiting=tuple(
                Waiting(ref, each.waiting, each.waits_for) for ref, each in assessments.items() if each.waiting
            ),
            staged=tuple(each.staged for each in assessments.values() if each.staged is not None),
            drifted=(*((ref, each.drifted) for ref, each in assessments.items() if each.drifted), *missing),
            suspended=tuple(left_alone),
            extras=tuple((ref, each.extras) for ref, each in assessments.items() if each.extras),
            notes=(*leaving.notes, *kept.notes, *hints, *beside_the_plan),
            records=tuple(entry for entry in records if owned.get(entry.ref) != entry),
            forgotten=tuple(prune.forgotten(context)),
            wish=desired,
            host=context.host,
        )

    def _lesser(
        self, context: Context, kept: Kept, assessments: dict[Ref, Assessment], ref: Ref, missing: frozenset[Ref]
    ) -> Step | None:
        """What one does without some of what it needs; all else that is told of it is told of that, too."""
        resource, observed = context.desired.resources[ref], context.snapshot.get(ref)
        if ref in context.renames.formerly:
            return None
        if observed is not None:
            resource = with_ignored_state(resource, observed)
        without = rules_of(ref.kind).without(resource, observed, context, missing)
        if without is None:
            return None
        found = in_scope(without, context)
        if ref in kept.remembered:
            found = found.with_fact(Fact.KEPT, kept.remembered[ref])
        assessments[ref] = found
        return None if found.step is None or parted([found.step], kept.let_go, context) else found.step

    def _assess(self, told_by: Own, context: Context, assess: Mapping[str, Assessor]) -> _Remembered:
        resource, observed, entry, *_ = told_by
        ref = resource.ref
        if ref in context.snapshot.unseen:
            return _Remembered(told_by, (), Assessment(blocked=unreadable(resource)), settled=False)
        around = beside(resource, context)
        before = self._memory.get(ref)
        # What is missing, or depends on who uses it, is looked at afresh; a VM at rest is the case that has to be fast.
        if before is not None and before.settled and before.own == told_by and before.beside == around:
            return before
        if observed is not None:
            resource = with_ignored_state(resource, observed)
        assessment = rules_of(ref.kind).renamed(resource, context) or assess[ref.kind](resource, observed)
        assessment = in_scope(assessment, context)
        settled = _at_rest(assessment) and not assessment.chosen and are_all(told_by, context)
        silent = settled and _says_nothing(assessment, entry)
        return _Remembered(told_by, around, assessment, settled, silent)


def _to_remember(assessments: Mapping[Ref, Assessment], done: Iterable[Step]) -> Iterator[Owned]:
    """What the ledger holds before the steps begin. What announces a step is nothing without it."""
    coming = {step.ref for step in done}
    for ref, each in assessments.items():
        if each.record is not None and (each.step is None or ref in coming):
            yield each.record


def _at_rest(assessment: Assessment) -> bool:
    return assessment.step is None and assessment.blocked is None and not assessment.waiting


def _says_nothing(assessment: Assessment, entry: Owned | None) -> bool:
    """True for one at rest of which nothing is told, and the ledger holds what it should."""
    told = assessment.staged is not None or assessment.drifted or assessment.extras
    return not told and assessment.record in (None, entry)
