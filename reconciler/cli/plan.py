"""`onggi plan`."""

from __future__ import annotations

from reconciler.cli.options import HOST, RESULT, SOURCE, detailed_exitcode, state, verb
from reconciler.cli.output import Output
from reconciler.cli.progress import told_when_slow
from reconciler.settings import Settings


@verb("plan", *SOURCE, *HOST, state, *RESULT, detailed_exitcode, logs_at="WARNING")
def command(settings: Settings, out: Output, detailed_exitcode: bool) -> int:
    """Show what `onggi apply` would do; change nothing.

    Works beside a running agent. Exits with 1 when documents have errors; the plan of all others is shown
    nevertheless.
    """
    from reconciler.line import Line
    from reconciler.reporting.plan_text import plan_text, problems_text
    from reconciler.reporting.problem_json import problem_json

    with (
        Line.open(settings, exclusive=False) as line,
        told_when_slow(f"reading {settings.repository} and {settings.connect} …", quiet=out.quiet),
    ):
        desired = line.desired()
        plan = line.compare(desired, line.observe())
    problems = desired.problems
    out.show(
        lambda: plan.to_json() | {"digest": plan.digest, "problems": [problem_json(item) for item in problems]},
        lambda: "\n\n".join(
            filter(
                None, (problems_text(problems, colour=out.colour), plan_text(plan, colour=out.colour, width=out.width))
            )
        ),
    )
    if problems:
        return 1
    return 2 if detailed_exitcode and not plan.empty else 0
