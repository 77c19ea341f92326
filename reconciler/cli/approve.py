"""`onggi approve`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import state, verb
from reconciler.errors import NotFound
from reconciler.settings.settings import Settings
from reconciler.status.value_text import printable
from specs.reference import Ref

if TYPE_CHECKING:
    from reconciler.ledger.decision_store import Waiting

_NAMED = 10
_DIGEST = re.compile(r"sha256:[0-9a-f]{8,64}")


@verb("approve", click.argument("digest", metavar="DIGEST", help="As the plan shows it."), state)
def command(digest: str, settings: Settings) -> None:
    """Say yes to what waits for it.

    A plan that would delete much at once, cut guests off from a network, or put an empty volume in the place of one
    that is lost, names a digest and waits. The yes holds for exactly that: once the repository or one of these objects
    has moved, the plan has another digest, and the earlier one is refused here. Works beside a running agent, which
    goes on at once.
    """
    from reconciler.ledger.ledger import Ledger
    from reconciler.ledger.lock import StateFolder

    if not _DIGEST.fullmatch(digest):
        raise click.UsageError("give the digest that `onggi plan` or `onggi status` shows, such as sha256:1f2e3d4c5b6a")
    with StateFolder.open(settings.state, exclusive=False) as folder:
        decisions = Ledger.open(folder.path, readonly=True).decisions
        waiting = decisions.waiting()
        meant = [each for each in waiting if each.startswith(digest)]
        if len(meant) == 1:
            decisions.approve(meant[0])
            click.echo(f"approved: {names(waiting[meant[0]])}")
        elif meant:
            raise NotFound(f"{digest} is the beginning of {len(meant)} digests; give more of it: {', '.join(meant)}")
        elif digest in decisions.approved():
            click.echo(f"{digest} was approved before")
        else:
            raise NotFound(f"Nothing waits for {digest}; {_remedy(waiting)}")


def _remedy(waiting: Waiting) -> str:
    if not waiting:
        return "nothing waits for an approval at all, as far as the last `onggi plan` or a running agent has told."
    return f"what waits: {'; '.join(f'{digest} ({names(refs)})' for digest, refs in waiting.items())}"


def names(refs: Sequence[Ref]) -> str:
    """The first of them by name, and how many more there are."""
    more = f" and {len(refs) - _NAMED} more" if len(refs) > _NAMED else ""
    return printable(f"{', '.join(map(str, refs[:_NAMED]))}{more}")
