"""`onggi trash`."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from reconciler.cli.options import RESULT, state, trash_retention, verb
from reconciler.cli.output import Output
from reconciler.settings.settings import Settings


@verb(
    "trash",
    state,
    trash_retention,
    click.option("--empty", is_flag=True, help="End their time: they are deleted by the next pass."),
    *RESULT,
)
def command(settings: Settings, out: Output, empty: bool) -> None:
    """Show the removed volumes that are still there.

    A volume whose document is gone and said `deletionPolicy: Delete` is kept for a while. Commit its document again,
    and it is back with its data. Works beside a running agent.
    """
    from reconciler.clock import rfc3339
    from reconciler.ledger.ledger import Ledger
    from reconciler.ledger.lock import StateFolder
    from reconciler.planning.storagevolume.trash import emptied, trashed
    from reconciler.reporting.table import table_text

    with StateFolder.open(settings.state, exclusive=False) as folder:
        ledger = Ledger.open(folder.path, readonly=True)
        found = trashed(ledger.ownership.all().values(), settings.trash_retention_s)
        if empty:
            for item in found:
                ledger.decisions.approve(emptied(item))

    def when(seconds: float) -> str:
        return rfc3339(datetime.fromtimestamp(seconds, UTC))

    rows = [(item.ref.name, when(item.since), when(item.until)) for item in found]
    out.show(
        lambda: [
            {"kind": item.ref.kind, "name": item.ref.name, "since": when(item.since), "until": when(item.until)}
            for item in found
        ],
        lambda: table_text(("volume", "removed", "deleted"), rows) if rows else "The trash is empty.",
    )
    if empty and found:
        out.note(f"{len(found)} of them are deleted by the next pass, which is `onggi apply` or a running agent's.")
