"""`onggi resume`."""

from __future__ import annotations

import click

from reconciler.cli.objects import kind_argument, name_argument, ref_of
from reconciler.cli.options import state, verb
from reconciler.settings.settings import Settings
from specs.registry import Kind


@verb("resume", kind_argument(required=False), name_argument, state)
def command(kind: Kind | None, name: str | None, settings: Settings) -> None:
    """Keep one object, or everything, as declared again.

    Ends a suspension; that of everything when none is named, where single objects stay suspended.
    """
    from reconciler.ledger.ledger import Ledger
    from reconciler.ledger.lock import StateFolder
    from reconciler.status.suspension import ALL, ANYTHING

    ref = ref_of(kind, name)
    with StateFolder.open(settings.state, exclusive=False) as folder:
        ledger = Ledger.open(folder.path, readonly=True)
        was = (ref or ANYTHING) in ledger.decisions.suspensions()
        ledger.decisions.resume(ref)
        left = ledger.decisions.suspended()
    click.echo(f"{ref or 'everything'} {'is kept as declared again' if was else 'was not suspended'}")
    if left is ALL:
        click.echo("onggi: everything is suspended; end that with: onggi resume", err=True)
    elif ref is None and left:
        click.echo(f"onggi: still suspended by themselves: {', '.join(map(str, sorted(left)))}", err=True)
