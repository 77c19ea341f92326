"""Tells, by what is on the host now, what came of steps that nobody saw the end of: their run was killed, the
connection was lost, or they failed half-way.

The history must not keep silent about what they did, nor claim what they didn't: an object that is there was made,
one that is gone was removed, and a change is done when nothing of it is planned any more. Pure; the ledger keeps what
was begun, and whoever has the snapshot asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reconciler.ledger.records import InDoubt
from reconciler.observed.snapshot import Snapshot
from reconciler.planning.plan import Action, Plan
from reconciler.status.outcome import Result, StepOutcome

_DONE = "; found done afterwards"
_NOT_DONE = "it was cut off before it was done, and isn't planned any more"
_UNKNOWN = "it was cut off, and another revision is in force by now: whether it was done isn't known"
_ASKED_ONCE = "it was asked for once and was cut off: whether it was done isn't known"


def outcomes(in_doubt: Iterable[InDoubt], plan: Plan, snapshot: Snapshot) -> dict[str, list[StepOutcome]]:
    """The outcomes to record, by revision. `plan` is the first one since, made from `snapshot`.

    What wasn't done and is planned again is in none: it stays begun until that comes to an end.
    """
    planned = {step.ref for step in plan.steps}
    open_ones = planned | {blocked.ref for blocked in plan.blocked if not blocked.part}
    found: dict[str, list[StepOutcome]] = {}
    for item in in_doubt:
        step, present = item.step, snapshot.get(item.step.ref) is not None
        match step.action:
            case Action.CREATE:
                result = Result.CREATED if present else Result.SKIPPED
            case Action.DELETE:
                result = Result.SKIPPED if present else Result.DELETED
            case _:
                done = present and step.ref not in open_ones and item.revision == plan.revision
                result = Result.CONFIGURED if done else Result.SKIPPED
        if result is Result.SKIPPED and step.ref in planned:
            continue
        if result is Result.SKIPPED and not item.revision and step.action is Action.UPDATE:
            outcome = StepOutcome(step, result, _ASKED_ONCE)
        elif result is Result.SKIPPED:
            known = item.revision == plan.revision or step.action is Action.CREATE
            outcome = StepOutcome(step, result, _NOT_DONE if known else _UNKNOWN)
        else:
            outcome = StepOutcome(replace(step, why=step.why + _DONE), result)
        found.setdefault(item.revision, []).append(outcome)
    return found
