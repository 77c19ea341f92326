"""`onggi version`."""

from __future__ import annotations

from reconciler.cli.options import RESULT, verb
from reconciler.cli.output import Output
from reconciler.version import VERSION


@verb("version", *RESULT)
def command(out: Output) -> None:
    """Print the version."""
    out.show(lambda: {"version": VERSION}, lambda: f"onggi {VERSION}")
