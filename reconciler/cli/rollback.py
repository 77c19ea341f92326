"""`onggi rollback`: a commit that brings an earlier revision back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.options import RESULT, branch, repository, verb
from reconciler.cli.output import Output
from reconciler.settings.settings import Settings

if TYPE_CHECKING:
    from reconciler.source.rollback import Rollback

_MARKS = {"added": ("+", "green"), "changed": ("~", "yellow"), "removed": ("-", "red")}


@verb(
    "rollback",
    repository,
    branch,
    click.option(
        "--to", default="", metavar="REV", help="The revision to bring back.  [default: the one before the last]"
    ),
    click.option("--dry-run", "-n", is_flag=True, help="Show what would change; make no commit."),
    *RESULT,
)
def command(settings: Settings, out: Output, to: str, dry_run: bool) -> None:
    """Bring an earlier revision back, by a new commit.

    The whole repository gets that revision's content; history stays as it is. In a work tree the files follow, but
    never over edits that aren't committed. To a remote the commit is pushed. It is signed when git signs commits
    (commit.gpgSign). An agent follows it as any other commit; nothing else is told to the host.
    """
    from reconciler.source.files import shown
    from reconciler.source.rollback import roll_back

    done = roll_back(settings.repository, branch=settings.branch, to=to, dry_run=dry_run)
    out.show(
        lambda: {
            "branch": done.branch,
            "head": done.head,
            "restored": done.restored,
            "commit": done.commit or None,
            "pushed": done.pushed,
            "changes": [{"change": item.change, "path": shown(item.path)} for item in done.changes],
        },
        lambda: _text(done, out),
    )


def _text(done: Rollback, out: Output) -> str:
    from reconciler.source.files import shown

    lines = []
    for item in done.changes:
        mark, colour = _MARKS[item.change]
        line = f"{mark} {shown(item.path)}"
        lines.append(click.style(line, fg=colour) if out.colour else line)
    if not done.commit:
        lines.append(f"\n{done.branch} would be as in {done.restored[:12]} again; nothing was done.")
    else:
        pushed = ", pushed" if done.pushed else ""
        lines.append(f"\n{done.branch} is as in {done.restored[:12]} again: commit {done.commit}{pushed}.")
    return "\n".join(lines)
