"""`onggi events`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from reconciler.cli.objects import kind_argument, name_argument, ref_of
from reconciler.cli.options import RESULT, state, verb
from reconciler.cli.output import Output
from reconciler.duration import moment
from reconciler.errors import SettingsError
from reconciler.settings.settings import Settings
from specs.registry import Kind


class Moment(click.ParamType[datetime]):
    """A length of time before now (10m), or a moment (2026-01-31T12:00:00Z)."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment, in UTC."""
        try:
            return moment(str(value))
        except SettingsError as error:
            self.fail(str(error), param, ctx)


@verb(
    "events",
    kind_argument(required=False),
    name_argument,
    click.option("--since", type=Moment(), metavar="TIME", help="Only those since then: 10m ago, or a moment."),
    click.option(
        "--limit",
        type=click.IntRange(1, 10_000),
        default=100,
        show_default=True,
        help="At most so many, the newest.",
    ),
    click.option("--warnings", is_flag=True, help="Only what failed or was skipped."),
    state,
    *RESULT,
)
def command(
    kind: Kind | None,
    name: str | None,
    since: datetime | None,
    limit: int,
    warnings: bool,
    settings: Settings,
    out: Output,
) -> None:
    """Show what was done, failed or was skipped.

    The oldest comes first. Of a kind, or of one object, when it is named.
    """
    from reconciler.ledger.ledger import Ledger
    from reconciler.reporting.status_text import event_json, events_text

    # The ledger picks one object by itself; a kind or warnings alone are picked here, from all that it keeps.
    picked_here = warnings or (kind is not None and not name)
    ref = ref_of(kind, name) if name else None
    found = Ledger.open(settings.state, readonly=True).history.events(10_000 if picked_here else limit, ref, since)
    if kind is not None and not name:
        found = [event for event in found if event.ref.kind == kind.name]
    if warnings:
        found = [event for event in found if event.type == "Warning"]
    found = found[-limit:]
    if not found:
        out.note("No events.")
    out.show(
        lambda: [event_json(event) for event in found],
        lambda: events_text(found, colour=out.colour) if found else "",
    )
