"""`onggi verify`."""

from __future__ import annotations

import click

from reconciler.cli.options import HOST, RESULT, branch, path, repository, state, verb
from reconciler.cli.output import Output
from reconciler.cli.progress import told_when_slow
from reconciler.settings.settings import Settings


@verb(
    "verify",
    repository,
    branch,
    path,
    *HOST,
    state,
    click.option("--all", "everything", is_flag=True, help="List every fact, also where there are many."),
    *RESULT,
    logs_at="WARNING",
)
def command(settings: Settings, out: Output, everything: bool) -> int:
    """Prove that the documents make this host again.

    Each is rendered as on a host that has nothing, and compared with the definition of its object, fact by fact.
    Nothing is defined, and nothing of the host is changed. A line with - is a fact that the document lacks, one with +
    what it would make beside. What a document leaves to libvirt counts as lost, for only a definition could show what
    libvirt would choose; an exported document leaves nothing to it that would change.

    The data of volumes is in no document; copy it yourself. Exits with 1 when anything wouldn't be as it is, has no
    document, or isn't there, and when documents have errors.
    """
    from reconciler.exporting.verifying import verify
    from reconciler.line.line import Line
    from reconciler.reporting.plan_text import problems_text
    from reconciler.reporting.problem_json import problem_json
    from reconciler.reporting.verified_text import verified_json, verified_text

    with (
        Line.open(settings, exclusive=False) as line,
        told_when_slow(f"reading {settings.repository} and {settings.connect} …", quiet=out.quiet),
    ):
        desired = line.desired()
        found = verify(desired, line.observe())
    out.show(
        lambda: verified_json(found) | {"problems": [problem_json(item) for item in desired.problems]},
        lambda: "\n\n".join(
            filter(
                None,
                (problems_text(desired.problems, colour=out.colour), verified_text(found, everything=everything)),
            )
        ),
    )
    return 0 if found.equal and not desired.problems else 1
