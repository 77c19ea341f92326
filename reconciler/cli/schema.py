"""`onggi schema`."""

from __future__ import annotations

import json

import click

from reconciler.cli.objects import kind_argument
from reconciler.cli.options import verb
from specs.registry import Kind


@verb("schema", kind_argument(required=True))
def command(kind: Kind) -> None:
    """Print a kind's JSON Schema, for editors and other tools."""
    click.echo(json.dumps(kind.schema, indent=2, ensure_ascii=False))
