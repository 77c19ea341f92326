"""`onggi apply`."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.options import HOST, RESULT, SOURCE, detailed_exitcode, state, sync_windows, trash_retention, verb
from reconciler.cli.output import Output
from reconciler.cli.plan import saved
from reconciler.cli.progress import Report, told_when_slow
from reconciler.cli.signals import on_signals, to_end
from reconciler.settings.settings import Settings
from specs.plain import NewJson

if TYPE_CHECKING:
    from reconciler.line.line import Line
    from reconciler.planning.plan import Plan
    from reconciler.status.one_pass import Pass
    from reconciler.status.outcome import StepOutcome


@verb(
    "apply",
    *SOURCE,
    *HOST,
    state,
    trash_retention,
    sync_windows,
    click.option("--outside-window", is_flag=True, help="Do it now, whatever the sync windows say."),
    click.option("--yes", "-y", is_flag=True, help="Don't ask first. Nobody is asked outside a terminal either."),
    *RESULT,
    detailed_exitcode,
    logs_at="WARNING",
)
def command(settings: Settings, out: Output, outside_window: bool, yes: bool, detailed_exitcode: bool) -> int:
    """Do what `onggi plan` shows, once.

    Shows the plan, asks on a terminal, and makes the host as the repository says. Exits with 1 when something
    failed, is blocked, or has a document with errors, or when a remote can't be asked for its newest revision. An
    agent that runs with the same state does all this by itself, and is in the way here.

    In place of REPO, the file of a plan that `onggi plan --out` saved can be given: exactly that plan is applied, or
    nothing when the repository or the host has moved since.
    """
    from reconciler.ledger.decision_store import VERB
    from reconciler.line.line import Line
    from reconciler.reporting.plan_text import plan_text, problems_text

    reviewed = None
    if Path(settings.repository).is_file():
        from reconciler.reporting.saved_plan import read_saved_plan

        reviewed = read_saved_plan(Path(settings.repository))
        origin = reviewed.origin
        settings = replace(
            settings,
            repository=origin.get("repository", ""),
            branch=origin.get("branch", ""),
            path=origin.get("path", ""),
            connect=origin.get("connect", ""),
        )
    with Line.open(settings, exclusive=True) as line:
        with told_when_slow(f"reading {settings.repository} and {settings.connect} …", quiet=out.quiet):
            line.recovery.recover()
            now = line.look()
            desired, plan = now.desired, now.plan
            if reviewed is not None:
                reviewed.check(plan, saved(settings, now).digest)
        if out.format == "text":
            if mistakes := problems_text(desired.problems, colour=out.colour):
                click.echo(f"{mistakes}\n", color=out.colour)
            click.echo(
                plan_text(plan, colour=out.colour, width=out.width, mistakes=bool(desired.problems)), color=out.colour
            )
        if not plan.empty:
            _mind_windows(settings, out, outside_window=outside_window)
            line.prepare()
        asked = not plan.empty and not yes and sys.stdin.isatty()
        line.note_approvals(plan, VERB)
        if asked and not click.confirm("\nDo this?", err=True):
            out.note("Nothing was done.")
            return 1
        line.note_drift(now)
        outcomes, after = _apply(line, plan, out, only_this=reviewed is not None)
        remaining = after.plan
        line.note_approvals(remaining, VERB)
        unanswered = line.source.problem
        line.note_status(after, outcomes)
    told = _Told(plan, outcomes, remaining)
    out.show(lambda: told.to_json(desired.problems), told.text)
    if desired.problems or remaining.steps or remaining.blocked or unanswered:
        return 1
    return 2 if detailed_exitcode and outcomes else 0


def _mind_windows(settings: Settings, out: Output, *, outside_window: bool) -> None:
    """Raises OutsideWindow when nothing may be applied now, unless that is wanted nevertheless."""
    if settings.sync_windows:
        from reconciler.clock import utc_now
        from reconciler.settings.windows import state_at

        state = state_at(settings.sync_windows, utc_now())
        if outside_window and not state.open:
            out.note(f"onggi: {state.reason}; applying nevertheless")
        else:
            state.refuse()


def _apply(line: Line, plan: Plan, out: Output, *, only_this: bool) -> tuple[tuple[StepOutcome, ...], Pass]:
    """What was shown, and unless `only_this` whatever only shows after it. The last look tells what is left."""
    from reconciler.status.outcome import failed_for_good, in_the_end

    stop = threading.Event()
    with on_signals(to_end(stop.set)), Report(quiet=out.quiet) as report:
        outcomes = line.apply(plan, stop=stop, on_progress=report)
        if only_this:
            return outcomes, line.look()
        more = line.converge(stop=stop, on_progress=report, given_up=failed_for_good(outcomes))
    return in_the_end((*outcomes, *more.outcomes)), more.last


class _Told:
    def __init__(self, plan: Plan, outcomes: tuple[StepOutcome, ...], remaining: Plan) -> None:
        self.plan, self.outcomes, self.remaining = plan, outcomes, remaining

    def text(self) -> str:
        """The last line; nothing when nothing was to be done."""
        if not self.outcomes:
            return ""
        counts: dict[str, int] = {}
        for outcome in self.outcomes:
            counts[outcome.result.value] = counts.get(outcome.result.value, 0) + 1
        left = f"; {len(self.remaining.steps)} left to do" if self.remaining.steps else ""
        return f"\nApplied: {', '.join(f'{number} {result}' for result, number in counts.items())}{left}."

    def to_json(self, problems: Any) -> NewJson:
        """The shape of `onggi apply -o json`."""
        from reconciler.reporting.problem_json import problem_json

        return {
            "plan": self.plan.to_json() | {"digest": self.plan.digest},
            "outcomes": [
                {
                    "action": outcome.step.action.value,
                    "kind": outcome.step.ref.kind,
                    "name": outcome.step.ref.name,
                    "result": outcome.result.value,
                    "message": outcome.message,
                    "durationSeconds": round(outcome.duration_s, 3),
                }
                for outcome in self.outcomes
            ],
            "remaining": self.remaining.to_json(),
            "problems": [problem_json(item) for item in problems],
        }
