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
from reconciler.settings.settings import Settings

if TYPE_CHECKING:
    from reconciler.reporting.saved_plan import SavedPlan
    from reconciler.status.one_pass import Pass

_NAMED = 8  # of the files that aren't committed
_APPROVED_LATER = "What needs an approval can be approved once it is committed, by the digest that its plan shows then."

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
    click.option(
        "--worktree",
        is_flag=True,
        help="Plan the files of the work tree as they lie, committed or not; they are applied once they are committed.",
    ),
    *MARKDOWN_RESULT,
    detailed_exitcode,
    logs_at="WARNING",
)
def command(settings: Settings, out: Output, file: Path | None, detailed_exitcode: bool) -> int:
    """Show what `onggi apply` would do; change nothing.

    What is committed counts; with --worktree, what a commit of everything in the work tree would bring.

    Works beside a running agent. Exits with 1 when documents have errors, or a remote can't be asked; the plan of all
    others, or of the revision that was fetched last, is shown nevertheless.
    """
    from reconciler.ledger.decision_store import VERB
    from reconciler.line.line import Line
    from reconciler.reporting.plan_text import plan_text, problems_text
    from reconciler.reporting.problem_json import problem_json
    from reconciler.source.files import shown

    if settings.worktree and file is not None:
        raise click.UsageError("a plan of the work tree can't be saved, for only commits are applied; commit it first")
    with (
        Line.open(settings, exclusive=False) as line,
        told_when_slow(f"reading {settings.repository} and {settings.connect} …", quiet=out.quiet),
    ):
        now = line.look()
        plan, problems = now.plan, now.desired.problems
        if not settings.worktree:  # a yes is for a commit
            line.note_approvals(plan, VERB)
        uncommitted: tuple[str, ...] = getattr(line.source, "uncommitted", ())
        unanswered = line.source.problem
        if file is not None:
            from reconciler.reporting.saved_plan import write_saved_plan

            write_saved_plan(file, saved(settings, now))

    def text() -> str:
        if out.format == MARKDOWN:
            from reconciler.reporting.plan_markdown import plan_markdown

            before = "_The work tree as it lies, committed or not._\n\n" if settings.worktree else ""
            return before + plan_markdown(plan, problems)
        parts = (
            _work_tree(settings, uncommitted),
            problems_text(problems, colour=out.colour),
            plan_text(plan, colour=out.colour, width=out.width, mistakes=bool(problems)),
            _APPROVED_LATER if settings.worktree and any(item.digest for item in (*plan.blocked, *plan.staged)) else "",
        )
        return "\n\n".join(filter(None, parts))

    out.show(
        lambda: (
            plan.to_json()
            | {"digest": plan.digest, "problems": [problem_json(item) for item in problems]}
            | ({"worktree": {"uncommitted": [shown(path) for path in uncommitted]}} if settings.worktree else {})
        ),
        text,
    )
    if file is not None:
        out.note(f"Saved; apply exactly this with: onggi apply {file}")
    if problems or unanswered:
        return 1
    return 2 if detailed_exitcode and not plan.empty else 0


def _work_tree(settings: Settings, uncommitted: tuple[str, ...]) -> str:
    """What a plan of the work tree says of itself before anything else."""
    from reconciler.source.files import shown

    if not settings.worktree:
        return ""
    if not uncommitted:
        return "The work tree as it lies, which is what is committed:"
    names = [shown(path) for path in uncommitted]
    more = [f"and {len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return f"The work tree as it lies, not committed yet: {', '.join([*names[:_NAMED], *more])}"


def saved(settings: Settings, now: Pass) -> SavedPlan:
    """The plan as it is saved."""
    from reconciler.reporting.saved_plan import SavedPlan, plan_digest

    origin = {key: str(getattr(settings, key)) for key in ORIGIN}
    if Path(settings.repository).exists():
        origin["repository"] = str(Path(settings.repository).absolute())
    return SavedPlan(origin, now.plan.revision, plan_digest(now), now.plan.to_json())
