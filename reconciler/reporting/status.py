"""From one pass's values to conditions: what a user is told about each object. Pure; the ledger stores and dates.

Ready is the summary and always there. Reconciling and Stalled exist only while they are true, Drifted, RestartRequired
and Suspended likewise. Messages hold no countdowns, so that a pass in which nothing happened changes none of them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from reconciler.applying.clock import rfc3339
from reconciler.applying.outcome import Result, StepOutcome
from reconciler.desired.state import DesiredState, Resource
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.plan import Action, Blocked, Plan, Step
from reconciler.reporting.condition import Condition
from specs.effect import Change
from specs.problem import Problem
from specs.reference import STORAGE_VOLUME, VIRTUAL_MACHINE, Ref

READY = "Ready"
RECONCILING = "Reconciling"
STALLED = "Stalled"
DRIFTED = "Drifted"
RESTART_REQUIRED = "RestartRequired"
SUSPENDED = "Suspended"

_SHOWN_PROBLEMS = 3
_LONGEST_VALUE = 60


class Waits(Protocol):
    """What an object that failed waits for."""

    @property
    def failures(self) -> int:
        """How often it failed in a row."""

    @property
    def at(self) -> datetime:
        """When it is tried again."""

    @property
    def terminal(self) -> bool:
        """True when it won't go away by itself."""


class Retries(Protocol):
    """Who knows when an object is tried again: the back-off."""

    def retry(self, ref: Ref) -> Waits | None:
        """None when the object hasn't failed."""


def conditions(
    desired: DesiredState,
    snapshot: Snapshot,
    plan: Plan,
    outcomes: Iterable[StepOutcome],
    suspended: Collection[Ref] = frozenset(),
    backoff: Retries | None = None,
) -> Mapping[Ref, tuple[Condition, ...]]:
    """The conditions of everything that is declared, broken, blocked or about to leave.

    `outcomes` are the last ones of each object, of this pass or of earlier ones; `plan` is what this pass decided.
    """
    return _Pass(desired, snapshot, plan, outcomes, suspended, backoff).all()


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
    if kind == STORAGE_VOLUME:
        return "Available"
    words = {"shutoff": "Stopped", "shutdown": "Stopping", "pmsuspended": "Sleeping", "": "Ready"}
    return words.get(state) or state.capitalize()


class _Pass:
    def __init__(
        self,
        desired: DesiredState,
        snapshot: Snapshot,
        plan: Plan,
        outcomes: Iterable[StepOutcome],
        suspended: Collection[Ref],
        backoff: Retries | None,
    ) -> None:
        self.desired = desired
        self.snapshot = snapshot
        self.revision = str(desired.revision)
        self.suspended = suspended
        self.backoff = backoff
        self.steps = {step.ref: step for step in plan.steps}
        self.blocked = {item.ref: item for item in plan.blocked}
        self.waiting = {item.ref: item.changes for item in plan.waiting}
        self.drifted = dict(plan.drifted)
        self.outcomes = {outcome.step.ref: outcome for outcome in outcomes}
        self.problems: dict[Ref, list[Problem]] = {}
        for problem in desired.problems:
            if problem.ref is not None:
                self.problems.setdefault(problem.ref, []).append(problem)
        # Most objects are at rest; they share one value.
        self.at_rest = (self.condition(READY, True, "Succeeded", "the host is as the document says"),)

    def all(self) -> dict[Ref, tuple[Condition, ...]]:
        """Every object's conditions."""
        found = {ref: self.of(ref, resource) for ref, resource in self.desired.resources.items()}
        others = self.problems.keys() | self.desired.held | self.blocked.keys() | self.steps.keys()
        for ref in sorted(others - found.keys()):
            if not self.is_gone(ref):
                found[ref] = self.of(ref, None)
        return found

    def of(self, ref: Ref, resource: Resource | None) -> tuple[Condition, ...]:
        """One object's conditions, Ready first."""
        if ref in self.problems or ref in self.desired.held:
            return (self.condition(READY, False, "InvalidDocument", self.problem_text(ref)),)
        if ref in self.suspended or (resource is not None and resource.parent in self.suspended):
            message = f"left alone until it is resumed: onggi resume {ref}"
            return (
                self.condition(READY, False, SUSPENDED, message),
                self.condition(SUSPENDED, True, "ByUser", message),
            )
        if not self.snapshot.connected:
            message = "the host can't be reached; the last known state is shown until it can"
            return (self.condition(READY, False, "HostUnreachable", message), *self.noted(ref))
        if ref in self.blocked:
            return (*self.held_back(self.blocked[ref]), *self.noted(ref))
        if ref in self.steps:
            return (*self.under_way(self.steps[ref]), *self.noted(ref))
        return (*self.at_rest, *self.noted(ref)) if ref in self.waiting or ref in self.drifted else self.at_rest

    def held_back(self, item: Blocked) -> tuple[Condition, ...]:
        """Something that won't be done as things are. What only waits for another object isn't stuck by itself."""
        message = f"{_place(item.path, item.line)}{item.message}"
        ready = self.condition(READY, False, item.reason, message)
        if item.reason == "DependencyNotReady":
            return (ready,)
        return ready, self.condition(STALLED, True, item.reason, "waits until the document or the host is changed")

    def under_way(self, step: Step) -> tuple[Condition, ...]:
        """Something that is to be done: done in this pass, failed, waiting for another, or still to come."""
        outcome = self.outcomes.get(step.ref)
        if outcome is not None and outcome.result is Result.FAILED:
            return self.failed(outcome)
        current = outcome if outcome is not None and outcome.step is step else None  # what an earlier pass did is done
        if current is not None and current.result is not Result.SKIPPED:
            return self.at_rest
        if (cause := self.failed_need(step)) is not None:
            message = f"waits for {cause}, which failed; it follows once that is done"
            return (self.condition(READY, False, "DependencyNotReady", message),)
        if current is not None:
            return (self.condition(READY, False, "Interrupted", current.message),)
        return self.progressing(step)

    def progressing(self, step: Step) -> tuple[Condition, ...]:
        """Planned or running, and not failed before."""
        reason = "Pruning" if step.action is Action.DELETE else "Progressing"
        return self.condition(READY, False, reason, step.why), self.condition(RECONCILING, True, reason, step.why)

    def failed(self, outcome: StepOutcome) -> tuple[Condition, ...]:
        """Failed, now or in the pass for which it still backs off."""
        reason = "PruneFailed" if outcome.step.action is Action.DELETE else "Failed"
        ready = self.condition(READY, False, reason, outcome.message)
        retry = self.backoff.retry(outcome.step.ref) if self.backoff is not None else None
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
        if changes := self.drifted.get(ref):
            notes.append(self.condition(DRIFTED, True, "NotHealed", f"{_texts(changes)}; driftPolicy: warn leaves it"))
        if changes := self.waiting.get(ref):
            what = "its next boot" if ref.kind == VIRTUAL_MACHINE else "its next start"
            notes.append(
                self.condition(RESTART_REQUIRED, True, "PendingChanges", f"{_texts(changes)}; waits for {what}")
            )
        return tuple(notes)

    def is_gone(self, ref: Ref) -> bool:
        """True for what this very plan has removed."""
        outcome, step = self.outcomes.get(ref), self.steps.get(ref)
        return outcome is not None and outcome.result is Result.DELETED and outcome.step is step

    def problem_text(self, ref: Ref) -> str:
        """Where the document is broken and how to mend it."""
        found = sorted(self.problems.get(ref, ()))
        if not found:
            return "its document has errors; onggi validate shows them"
        more = f"; and {len(found) - _SHOWN_PROBLEMS} more" if len(found) > _SHOWN_PROBLEMS else ""
        return "; ".join(map(str, found[:_SHOWN_PROBLEMS])) + more

    def condition(self, type_: str, status: bool, reason: str, message: str) -> Condition:
        """A condition of this pass's revision; the ledger knows since when it holds."""
        return Condition(type_, status, reason, message, self.revision)


def _texts(changes: Iterable[Change]) -> str:
    return ", ".join(f"{change.pointer} {_text(change.old)} → {_text(change.new)}" for change in changes)


def _text(value: Any) -> str:
    if value is None:
        return "(none)"
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def _place(path: str, line: int) -> str:
    return f"{path}:{line}: " if path and line else ""
