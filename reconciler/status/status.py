"""From one pass's values to conditions: what a user is told about each object. Pure; the ledger stores and dates.

Ready is the summary and always there. Reconciling and Stalled exist only while they are true; Drifted, DataLost,
RestartRequired and Suspended likewise. Messages hold no countdowns, so that a pass in which nothing happened changes
none of them.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any

from reconciler.bulkhead import INTERNAL_ERROR, Failure, contained
from reconciler.clock import rfc3339
from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.plan import Action, Blocked, Step
from reconciler.planning.storagevolume.loss import DATA_LOST
from reconciler.planning.vanished import WHOLE
from reconciler.status.broken import hidden, problems_sentence
from reconciler.status.condition import Condition
from reconciler.status.drift import Drift, DriftedField, deviations
from reconciler.status.one_pass import Pass
from reconciler.status.outcome import Result, StepOutcome
from reconciler.status.retries import CrashLoop
from reconciler.status.suspension import ANYTHING
from specs.effect import Change, Effect
from specs.problem import Problem
from specs.reference import Ref
from specs.registry import described

READY = "Ready"
RECONCILING = "Reconciling"
STALLED = "Stalled"
DRIFTED = "Drifted"
RESTART_REQUIRED = "RestartRequired"
SUSPENDED = "Suspended"
OUTSIDE_WINDOW = "OutsideWindow"
FLAPPING = "Flapping"  # the reason of a Stalled object that somebody else changes back

SEED_UNREAD = "SeedUnread"  # a machine that never looked at its cloud-init data

CRASH_LOOP = "CrashLoopBackOff"  # likewise, of a machine that ends soon after each start

_LONGEST_VALUE = 60


def conditions(now: Pass, drifts: Iterable[Drift] = ()) -> Mapping[Ref, tuple[Condition, ...]]:
    """The conditions of everything that is declared, broken, blocked or about to leave. `drifts` are of this pass."""
    return _Conditions(now, drifts).all()


def printable_status(found: Iterable[Condition], observed: Observed | None) -> str:
    """One word for a column, as KubeVirt prints it: what is wrong, else what it does."""
    if observed is None:
        return status_word(found, "", "")
    return status_word(found, observed.ref.kind, observed.state)


def status_word(found: Iterable[Condition], kind: str, state: str) -> str:
    """The same from stored values: a `kind`, and the observed `state`, which is empty for what isn't on the host."""
    by_type = {item.type: item for item in found}
    ready = by_type.get(READY)
    if SUSPENDED in by_type:
        return SUSPENDED
    if ready is not None and not ready.status:
        if STALLED in by_type and ready.reason == "Failed":
            return "BackingOff"
        return {"Progressing": "Updating" if state else "Provisioning"}.get(ready.reason, ready.reason)
    if not described(kind).is_defined:
        return "Available"
    words = {"shutoff": "Stopped", "shutdown": "Stopping", "pmsuspended": "Sleeping", "": "Ready"}
    return words.get(state) or state.capitalize()


class _Conditions:
    def __init__(self, now: Pass, drifts: Iterable[Drift]) -> None:
        self.now = now
        self.desired = now.wish
        self.revision = str(self.desired.revision)
        self.suspended = now.suspended
        self.outcomes = now.outcomes
        plan = now.plan
        self.steps = {step.ref: step for step in plan.steps}
        self.blocked = {item.ref: item for item in plan.blocked if not item.part}
        self.held = {item.ref: item for item in plan.blocked if item.part}
        self.waiting = {item.ref: item for item in plan.waiting}
        self.staged = {item.ref: item for item in plan.staged}
        self.drifted = dict(plan.drifted)
        self.left_alone = dict(plan.suspended)
        self.healing: dict[Ref, list[DriftedField]] = {}
        for item in deviations(drifts):
            if item.policy == "enforce":
                self.healing.setdefault(item.ref, []).extend(item.fields)
        self.problems: dict[Ref, list[Problem]] = {}
        for problem in self.desired.problems:
            if problem.ref is not None:
                self.problems.setdefault(problem.ref, []).append(problem)
        self.at_rest = _at_rest(self.revision)

    def all(self) -> dict[Ref, tuple[Condition, ...]]:
        """Every object's conditions."""
        resources = self.desired.resources
        found = dict.fromkeys(resources, self.at_rest)
        for ref in filter(resources.__contains__, self.told_of()) if self.now.snapshot.connected else resources:
            found[ref] = self.contained(ref, resources[ref])
        others = self.problems.keys() | self.desired.held | self.blocked.keys() | self.held.keys() | self.steps.keys()
        for ref in sorted(others - found.keys()):
            if told := self.contained(ref, None):
                found[ref] = told
        for ref, problems in hidden(self.desired, self.now.owned).items():
            if ref not in found:
                found[ref] = (self.condition(READY, False, "InvalidDocument", problems_sentence(problems)),)
        return found

    def told_of(self) -> set[Ref]:
        """All of which there may be more to tell than that it is at rest, while the host can be reached."""
        found = self.problems.keys() | self.desired.held | self.now.crash_loops.keys() | self.now.flapping.keys()
        found |= self.blocked.keys() | self.steps.keys() | self.held.keys()
        found |= self.waiting.keys() | self.drifted.keys() | self.now.unread_seeds.keys()
        if self.suspended:
            found |= {
                ref
                for ref, resource in self.desired.resources.items()
                if ref in self.suspended or resource.parent in self.suspended
            }
        return found

    def contained(self, ref: Ref, resource: Resource | None) -> tuple[Condition, ...]:
        """One object's conditions, or that they couldn't be found out."""
        key = resource.digest if resource is not None else ""
        found = contained("telling its state", ref, key, self.of, ref, resource)
        if isinstance(found, Failure):
            return (self.condition(READY, False, INTERNAL_ERROR, found.message),)
        return found

    def of(self, ref: Ref, resource: Resource | None) -> tuple[Condition, ...]:
        """One object's conditions, Ready first; none of what this very pass has removed."""
        if resource is None and self.is_gone(ref):
            return ()
        if ref in self.problems or ref in self.desired.held:
            return (self.condition(READY, False, "InvalidDocument", self.problem_text(ref)),)
        if ref in self.suspended or (resource is not None and resource.parent in self.suspended):
            parent = resource.parent if resource is not None else None
            said = next((each for each in (ref, parent, ANYTHING) if each in self.now.suspensions), None)
            who = str(self.now.suspensions[said]) if said is not None else ""
            why = f" ({who})" if who else ""
            message = f"left alone{why} until it is resumed: {resume_command(ref, resource, self.suspended)}"
            changes = self.left_alone.get(ref)
            gone = changes is not None and any(change.pointer == WHOLE for change in changes)
            what = "it isn't on the host any more" if gone else _texts(changes or ())
            differs = f"{what}; suspended, so it is left as it is" if changes else ""
            return (
                self.condition(READY, False, SUSPENDED, message),
                self.condition(SUSPENDED, True, "ByUser", message),
                *([self.condition(DRIFTED, True, "NotHealed", differs)] if differs else []),
            )
        if not self.now.snapshot.connected:
            message = "the host can't be reached; the last known state is shown until it can"
            return (self.condition(READY, False, "HostUnreachable", message), *self.noted(ref))
        if ref in self.now.crash_loops and ref in self.steps:
            return (*self.crash_looping(self.now.crash_loops[ref]), *self.noted(ref))
        if ref in self.now.flapping:
            return (*self.fought_over(ref), *self.noted(ref))
        if ref in self.blocked:
            return (*self.held_back(self.blocked[ref]), *self.noted(ref))
        step = self.steps.get(ref)
        if step is not None and not (ref in self.held and self.done(step)):
            return (*self.under_way(step), *self.noted(ref))
        if ref in self.held:
            return (*self.held_back(self.held[ref]), *self.noted(ref))
        if any(change.pointer == WHOLE for change in self.drifted.get(ref, ())):
            message = "it isn't on the host any more, and its driftPolicy: warn doesn't make it again"
            return (self.condition(READY, False, "Missing", message), *self.noted(ref))
        told = ref in self.waiting or ref in self.drifted or ref in self.now.unread_seeds
        return (*self.at_rest, *self.noted(ref)) if told else self.at_rest

    def crash_looping(self, loop: CrashLoop) -> tuple[Condition, ...]:
        """A machine that doesn't stay up."""
        when = f"started again at {rfc3339(loop.at)}, or as soon as its document changes"
        return (
            self.condition(READY, False, CRASH_LOOP, loop.message),
            self.condition(STALLED, True, CRASH_LOOP, when),
        )

    def fought_over(self, ref: Ref) -> tuple[Condition, ...]:
        """Put right again and again, and as often changed back. Its repairs are rare by now, and it is said so."""
        message = self.now.flapping[ref].message
        at_rest = ref not in self.steps or self.done(self.steps[ref])
        ready = self.at_rest[0] if at_rest else self.condition(READY, False, FLAPPING, message)
        retry = self.now.retries.get(ref)
        when = f"; put right again from {rfc3339(retry.at)} on" if retry is not None and not at_rest else ""
        return ready, self.condition(STALLED, True, FLAPPING, f"{message}{when}")

    def held_back(self, item: Blocked) -> tuple[Condition, ...]:
        """Something that won't be done as things are. What only waits for another object isn't stuck by itself."""
        message = f"{_place(item.path, item.line)}{item.message}"
        ready = self.condition(READY, False, item.reason, message)
        if item.reason == DATA_LOST:
            return ready, self.condition(DATA_LOST, True, "VolumeGone", message)
        if item.reason == "DependencyNotReady":
            return (ready,)
        until = "it is approved, or the document" if item.digest else "the document or the host"
        return ready, self.condition(STALLED, True, item.reason, f"waits until {until} is changed")

    def under_way(self, step: Step) -> tuple[Condition, ...]:
        """Something that is to be done: done in this pass, failed, waiting for another, or still to come."""
        outcome = self.outcomes.get(step.ref)
        if outcome is not None and outcome.result is Result.FAILED:
            return self.failed(outcome)
        current = outcome if outcome is not None and outcome.step is step else None  # what an earlier pass did is done
        if self.done(step):
            return self.at_rest
        if (cause := self.failed_need(step)) is not None:
            message = f"waits for {cause}, which failed; it follows once that is done"
            return (self.condition(READY, False, "DependencyNotReady", message),)
        if current is not None:
            return (self.condition(READY, False, "Interrupted", current.message),)
        return self.progressing(step)

    def done(self, step: Step) -> bool:
        """True for a step that this very pass has done with success."""
        outcome = self.outcomes.get(step.ref)
        return outcome is not None and outcome.step is step and outcome.result not in (Result.FAILED, Result.SKIPPED)

    def progressing(self, step: Step) -> tuple[Condition, ...]:
        """Planned or running, and not failed before."""
        if self.now.closed:
            return (self.condition(READY, False, OUTSIDE_WINDOW, f"{step.why}; {self.now.closed}"),)
        reason = "Pruning" if step.action is Action.DELETE else "Progressing"
        return self.condition(READY, False, reason, step.why), self.condition(RECONCILING, True, reason, step.why)

    def failed(self, outcome: StepOutcome) -> tuple[Condition, ...]:
        """Failed, now or in the pass for which it still backs off."""
        reason = "PruneFailed" if outcome.step.action is Action.DELETE else "Failed"
        ready = self.condition(READY, False, reason, outcome.message)
        retry = self.now.retries.get(outcome.step.ref)
        if retry is None:
            return ready, self.condition(RECONCILING, True, "ProgressingWithRetry", "it is tried again")
        times = "once" if retry.failures == 1 else f"{retry.failures} times"
        message = f"failed {times}; tried again at {rfc3339(retry.at)}, or as soon as its document changes"
        return ready, self.condition(STALLED, True, "TerminalError" if retry.terminal else "BackingOff", message)

    def failed_need(self, step: Step) -> Ref | None:
        """The object whose failure keeps this step from beginning, at whatever distance; the first by name."""
        seen: set[Ref] = set()
        pending = set(step.after)
        causes: set[Ref] = set()
        while pending:
            ref = pending.pop()
            need = self.steps.get(ref)
            if need is None or ref in seen:
                continue
            seen.add(ref)
            outcome = self.outcomes.get(ref)
            if outcome is not None and outcome.result is Result.FAILED:
                causes.add(ref)
            else:
                pending |= need.after
        return min(causes, default=None)

    def noted(self, ref: Ref) -> tuple[Condition, ...]:
        """What is to be told beside Ready."""
        notes = []
        step = self.steps.get(ref)
        if changes := self.drifted.get(ref):
            resource = self.desired.resources.get(ref)
            warned = resource is None or resource.policy.drift == "warn"
            why = "driftPolicy: warn leaves it" if warned else "it is only observed so far, and left as it is"
            notes.append(self.condition(DRIFTED, True, "NotHealed", f"{_texts(changes)}; {why}"))
        elif (fields := self.healing.get(ref)) and not (step is not None and self.done(step)):
            what = ", ".join(f"{each.field} {_text(each.found)} → {_text(each.declared)}" for each in fields)
            notes.append(self.condition(DRIFTED, True, "NotHealedYet", f"{what}; it is to be put back"))
        if (item := self.waiting.get(ref)) and (changes := _needing_a_boot(item.changes)):
            staged = self.staged.get(ref)
            what = item.waits_for or f"its {described(ref.kind).next_start}"
            message = f"{_texts(changes)}; {staged.message if staged else f'waits for {what}'}"
            reason = staged.reason if staged else "PendingChanges"
            notes.append(self.condition(RESTART_REQUIRED, True, reason, message))
        if ref in self.now.unread_seeds:
            notes.append(self.condition(SEED_UNREAD, True, "NeverRead", self.now.unread_seeds[ref]))
        return tuple(notes)

    def is_gone(self, ref: Ref) -> bool:
        """True for what this very plan has removed."""
        outcome, step = self.outcomes.get(ref), self.steps.get(ref)
        return outcome is not None and outcome.result is Result.DELETED and outcome.step is step

    def problem_text(self, ref: Ref) -> str:
        """Where the document is broken and how to mend it."""
        return problems_sentence(self.problems.get(ref, ()))

    def condition(self, type_: str, status: bool, reason: str, message: str) -> Condition:
        """A condition of this pass's revision; the ledger knows since when it holds."""
        return Condition(type_, status, reason, message, self.revision)


@lru_cache(maxsize=4)
def _at_rest(revision: str) -> tuple[Condition, ...]:
    """What nearly all objects are, pass after pass: one value, which is told apart by being the very same."""
    return (Condition(READY, True, "Succeeded", "the host is as the document says", revision),)


def resume_command(ref: Ref, resource: Resource | None, suspended: Collection[Ref]) -> str:
    """What ends the suspension of an object: its own, its machine's, or that of everything."""
    if ANYTHING in suspended:
        return "onggi resume"
    if ref not in suspended and resource is not None and resource.parent is not None:
        ref = resource.parent
    return f"onggi resume {ref.kind} {shlex.quote(ref.name)}"


def _needing_a_boot(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Without what a guest was told already and does in its own time."""
    return tuple(change for change in changes if change.effect is not Effect.LIVE)


def _texts(changes: Iterable[Change]) -> str:
    return ", ".join(f"{change.pointer} {_text(change.old)} → {_text(change.new)}" for change in changes)


def _text(value: Any) -> str:
    if value is None:
        return "(none)"
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def _place(path: str, line: int) -> str:
    return f"{path}:{line}: " if path and line else ""
