"""`onggi drift`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import click

from reconciler.cli.events import Moment
from reconciler.cli.options import HOST, MARKDOWN, MARKDOWN_RESULT, branch, detailed_exitcode, path, state, verb
from reconciler.cli.output import Output
from reconciler.cli.progress import told_when_slow
from reconciler.settings.settings import Settings

repository = click.argument(
    "repository",
    metavar="[REPO]",
    envvar="ONGGI_REPOSITORY",
    required=False,
    default="",
    help="Path or URL of the repository to compare with; without one the recorded drift is shown.",
)


@verb(
    "drift",
    repository,
    branch,
    path,
    *HOST,
    state,
    click.option("--history", is_flag=True, help="Show the records, with those that have ended and by whose doing."),
    click.option(
        "--since", type=Moment(), metavar="TIME", help="Show the records; none that ended before: 10m ago, or a moment."
    ),
    *MARKDOWN_RESULT,
    detailed_exitcode,
    logs_at="WARNING",
)
def command(settings: Settings, out: Output, history: bool, since: datetime | None, detailed_exitcode: bool) -> int:
    """Show what on the host was changed since it was last applied.

    With REPO the host is compared now; nothing is changed and a running agent isn't in the way. What a new revision
    asks for is no drift: that is what `onggi plan` shows. Without REPO, or with --history or --since, the agent's
    records are shown: first seen, last seen, healed by whom. Exits with 1 when documents have errors, or a remote
    can't be asked.
    """
    if settings.repository and not history and since is None:
        return _compared(settings, out, detailed_exitcode)
    return _recorded(settings, out, history or since is not None, since, detailed_exitcode)


def _compared(settings: Settings, out: Output, detailed_exitcode: bool) -> int:
    from reconciler.line.line import Line
    from reconciler.reporting.drift_text import DriftReport, report_markdown, report_text
    from reconciler.reporting.plan_text import problems_text
    from reconciler.reporting.problem_json import problem_json
    from reconciler.status.drift import drift

    with (
        Line.open(settings, exclusive=False) as line,
        told_when_slow(f"reading {settings.repository} and {settings.connect} …", quiet=out.quiet),
    ):
        now = line.look()
        found = drift(now)
        unanswered = line.source.problem
        since = {(record.ref, record.field): record.first_seen for record in line.ledger.drift.records()}
    report = DriftReport(str(now.desired.revision), found, since)
    told = {item.ref for item in report.deviations}
    report = replace(report, waiting=sum(step.ref not in told for step in now.plan.steps))
    problems = now.desired.problems
    out.show(
        lambda: report.to_json() | {"problems": [problem_json(item) for item in problems]},
        lambda: (
            report_markdown(report)
            if out.format == MARKDOWN
            else "\n\n".join(
                filter(None, (problems_text(problems, colour=out.colour), report_text(report, colour=out.colour)))
            )
        ),
    )
    if problems or unanswered:
        return 1
    return 2 if detailed_exitcode and report.deviations else 0


def _recorded(settings: Settings, out: Output, healed: bool, since: datetime | None, detailed_exitcode: bool) -> int:
    from reconciler.ledger.ledger import Ledger
    from reconciler.reporting.drift_text import record_json, records_markdown, records_text

    found = Ledger.open(settings.state, readonly=True).drift.records(healed=healed, since=since)
    if not found:
        out.note("No drift is recorded.")
    out.show(
        lambda: [record_json(record) for record in found],
        lambda: records_markdown(found) if out.format == MARKDOWN else records_text(found, colour=out.colour),
    )
    return 2 if detailed_exitcode and any(record.open for record in found) else 0
