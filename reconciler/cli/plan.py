"""`onggi plan`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import (
    HOST,
    MARKDOWN,
    MARKDOWN_RESULT,
    SOURCE,
    detailed_exitcode,
    state,
    trash_retention,
    verb,
)
from reconciler.cli.output import Output
from reconciler.cli.progress import told_when_slow
from reconciler.settings import Settings

if TYPE_CHECKING:
    from reconciler.desired.state import DesiredState
    from reconciler.line import Line
    from reconciler.observed.snapshot import Snapshot
    from reconciler.planning.plan import Plan
    from reconciler.reporting.saved_plan import SavedPlan

# What says where a plan is from; the rest of the settings doesn't change what it means.
ORIGIN = ("repository", "branch", "path", "connect")


@verb(
    "plan",
    *SOURCE,
    *HOST,
    state,
    trash_retention,
    click.option(
        "--out",
        "file",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Save the plan, for `onggi apply FILE`: that is refused once the repository or the host has moved.",
    ),
    *MARKDOWN_RESULT,
    detailed_exitcode,
    logs_at="WARNING",
)
def command(settings: Settings, out: Output, file: Path | None, detailed_exitcode: bool) -> int:
    """Show what `onggi apply` would do; change nothing.

    Works beside a running agent. Exits with 1 when documents have errors; the plan of all others is shown
    nevertheless.
    """
    from reconciler.applying.approval_book import VERB
    from reconciler.line import Line
    from reconciler.reporting.plan_text import plan_text, problems_text
    from reconciler.reporting.problem_json import problem_json

    with (
        Line.open(settings, exclusive=False) as line,
        told_when_slow(f"reading {settings.repository} and {settings.connect} …", quiet=out.quiet),
    ):
        desired = line.desired()
        snapshot = line.observe()
        plan = line.compare(desired, snapshot)
        line.note_approvals(plan, VERB)
        if file is not None:
            from reconciler.reporting.saved_plan import write_saved_plan

            write_saved_plan(file, saved(line, settings, desired, snapshot, plan))
    problems = desired.problems

    def text() -> str:
        if out.format == MARKDOWN:
            from reconciler.reporting.plan_markdown import plan_markdown

            return plan_markdown(plan, problems)
        parts = problems_text(problems, colour=out.colour), plan_text(plan, colour=out.colour, width=out.width)
        return "\n\n".join(filter(None, parts))

    out.show(
        lambda: plan.to_json() | {"digest": plan.digest, "problems": [problem_json(item) for item in problems]}, text
    )
    if file is not None:
        out.note(f"Saved; apply exactly this with: onggi apply {file}")
    if problems:
        return 1
    return 2 if detailed_exitcode and not plan.empty else 0


def saved(line: Line, settings: Settings, desired: DesiredState, snapshot: Snapshot, plan: Plan) -> SavedPlan:
    """The plan as it is saved."""
    from reconciler.reporting.saved_plan import SavedPlan, plan_digest

    origin = {key: str(getattr(settings, key)) for key in ORIGIN}
    if Path(settings.repository).exists():
        origin["repository"] = str(Path(settings.repository).absolute())
    digest = plan_digest(plan, desired, snapshot, line.ledger.owned())
    return SavedPlan(origin, plan.revision, digest, plan.to_json())
