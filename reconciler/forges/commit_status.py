"""What one pass means for the commit that it was about: the state and the one line beside it. Pure."""

from __future__ import annotations

from reconciler.forges.forge import CommitStatus, State
from reconciler.planning.plan import Plan, Step
from reconciler.reporting.plan_markdown import headline
from reconciler.status.one_pass import Pass
from reconciler.status.outcome import Result, StepOutcome


def outcome_status(now: Pass, context: str) -> CommitStatus:
    """How the host stands to the revision in force once this pass's plan was taken up.

    Messages stay out: anybody who may read the repository reads this.
    """
    desired, plan = now.desired, now.plan
    planned = {step.ref: step for step in plan.steps}
    last = {ref: outcome for ref in planned if (outcome := now.outcomes.get(ref)) is not None}
    failed = sum(outcome.result is Result.FAILED for outcome in last.values())
    wrong = [
        text
        for number, text in (
            (failed, f"{failed} failed"),
            (len(plan.blocked), f"{len(plan.blocked)} blocked"),
            (len(desired.problems), f"{_counted(len(desired.problems), 'error')} in documents"),
        )
        if number
    ]
    if wrong:
        return CommitStatus(State.FAILURE, context, f"{', '.join(wrong)}; onggi status tells more")
    if any(not _done(step, last.get(ref)) for ref, step in planned.items()):
        return CommitStatus(State.PENDING, context, headline(plan))
    waits = len(plan.waiting)
    waiting = f", {waits} {'waits' if waits == 1 else 'wait'} for a restart" if waits else ""
    return CommitStatus(State.SUCCESS, context, f"{_counted(len(desired.resources), 'object')} as declared{waiting}")


def _done(step: Step, outcome: StepOutcome | None) -> bool:
    return outcome is not None and outcome.step is step and outcome.result is not Result.SKIPPED


def proposal_status(plan: Plan, problems: int, context: str) -> CommitStatus:
    """What a proposal would do: failure only where it couldn't be done as it stands."""
    state = State.FAILURE if problems or plan.blocked else State.SUCCESS
    return CommitStatus(state, context, headline(plan, problems))


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
