"""`onggi approve`."""

from __future__ import annotations

import re

import click

from reconciler.cli.options import state, verb
from reconciler.settings import Settings

_DIGEST = re.compile(r"sha256:[0-9a-f]{8,64}")


@verb("approve", click.argument("digest", metavar="DIGEST", help="As the plan shows it."), state)
def command(digest: str, settings: Settings) -> None:
    """Say yes to what waits for it.

    A plan that would delete much at once, or cut guests off from a network, names a digest and waits. The yes holds
    for exactly that: once the repository or one of these objects has moved, the plan has another digest. Works beside
    a running agent, which goes on at once.
    """
    from reconciler.applying.ledger import Ledger
    from reconciler.applying.lock import StateFolder
    from reconciler.planning.approval import NEEDS_APPROVAL

    if not _DIGEST.fullmatch(digest):
        raise click.UsageError("give the digest that `onggi plan` or `onggi status` shows, such as sha256:1f2e3d4c5b6a")
    with StateFolder.open(settings.state, exclusive=False) as folder:
        ledger = Ledger.open(folder.path, readonly=True)
        waiting = [
            status.ref
            for status in ledger.statuses()
            if any(item.reason == NEEDS_APPROVAL and digest in item.message for item in status.conditions)
        ]
        ledger.approve(digest)
    if waiting:
        click.echo(f"approved: {', '.join(map(str, waiting))}")
    else:
        click.echo(f"approved: {digest}")
        click.echo("onggi: no agent has told of anything that waits for it; it counts once that comes up", err=True)
