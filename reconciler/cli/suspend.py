"""`onggi suspend`."""

from __future__ import annotations

import click

from reconciler.cli.objects import kind_argument, name_argument, ref_of
from reconciler.cli.options import state, verb
from reconciler.settings import Settings
from specs.registry import Kind


@verb("suspend", kind_argument(required=False), name_argument, state)
def command(kind: Kind | None, name: str | None, settings: Settings) -> None:
    """Leave one object, or everything, alone.

    Until it is resumed; everything when none is named. Works beside a running agent.
    """
    from reconciler.applying.ledger import Ledger
    from reconciler.applying.lock import StateFolder

    ref = ref_of(kind, name)
    with StateFolder.open(settings.state, exclusive=False) as folder:
        ledger = Ledger.open(folder.path, readonly=True)
        if ref is not None and ledger.status(ref) is None:
            click.echo(f"onggi: nothing is known of {ref} yet; it will be left alone when it comes up", err=True)
        ledger.suspend(ref)
    click.echo(f"{ref or 'everything'} is left alone until: onggi resume{f' {ref.kind} {ref.name}' if ref else ''}")
