"""`onggi version`."""

from __future__ import annotations

from reconciler.cli.options import RESULT, connect, settings_said, verb
from reconciler.cli.output import Output
from reconciler.version import VERSION


@verb("version", connect, *RESULT, checked=False)
def command(connect: str, out: Output) -> None:
    """Print the version.

    With -v all that a report of a bug should say: what is installed in which versions, what answers at --connect, and
    which settings are said where. Passwords and tokens aren't in it.
    """
    if not out.verbose:
        out.show(lambda: {"version": VERSION}, lambda: f"onggi {VERSION}")
        return
    from reconciler.cli.about import about
    from reconciler.reporting.about_text import about_text

    told = about(connect, settings_said())
    out.show(lambda: told, lambda: about_text(told))
