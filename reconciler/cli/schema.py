"""`onggi schema`."""

from __future__ import annotations

import json

import click

from reconciler.cli.objects import KindName, known_kind
from reconciler.cli.options import disabled_plugins, verb
from reconciler.settings.settings import Settings


@verb(
    "schema",
    # Plugins are looked for once all options are read, so that the word is understood only then.
    click.argument("kind", shell_complete=KindName().shell_complete, help="A kind, such as vm."),
    disabled_plugins,
)
def command(kind: str, settings: Settings) -> None:  # noqa: ARG001  # verb() has looked which plugins to leave out
    """Print a kind's JSON Schema, for editors and other tools."""
    click.echo(json.dumps(known_kind(kind).schema, indent=2, ensure_ascii=False))
