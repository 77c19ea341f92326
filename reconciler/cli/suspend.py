"""`onggi suspend`."""

from __future__ import annotations

import getpass
import os
from contextlib import suppress

import click

from reconciler.cli.objects import kind_argument, name_argument, ref_of
from reconciler.cli.options import state, verb
from reconciler.settings.settings import Settings
from specs.registry import Kind

_LONGEST_REASON = 200


@verb(
    "suspend",
    kind_argument(required=False),
    name_argument,
    click.option("--reason", default="", metavar="TEXT", help="Why, for whoever looks at its status."),
    state,
)
def command(kind: Kind | None, name: str | None, settings: Settings, reason: str) -> None:
    """Leave one object, or everything, alone.

    Until it is resumed; everything when none is named. Who said so, when and why stands in its status. Works beside a
    running agent.
    """
    from reconciler.ledger.ledger import Ledger
    from reconciler.ledger.lock import StateFolder

    ref = ref_of(kind, name)
    with StateFolder.open(settings.state, exclusive=False) as folder:
        ledger = Ledger.open(folder.path, readonly=True)
        if ref is not None and ledger.status.of(ref) is None:
            click.echo(f"onggi: nothing is known of {ref} yet; it will be left alone when it comes up", err=True)
        ledger.decisions.suspend(ref, reason=" ".join(reason.split())[:_LONGEST_REASON], who=_who())
    click.echo(f"{ref or 'everything'} is left alone until: onggi resume{f' {ref.kind} {ref.name}' if ref else ''}")


def _who() -> str:
    """Who gave the command, also through sudo."""
    with suppress(OSError, KeyError):  # a user without a name
        return os.environ.get("SUDO_USER") or getpass.getuser()
    return str(os.getuid())
