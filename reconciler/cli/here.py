"""Which repository is meant when none is named: the one around the current folder, as git's own commands have it.

Always all of it, from wherever in it the command is given: a folder alone would look as if the rest had been deleted.
"""

from __future__ import annotations

import os
from pathlib import Path

import click


def repository_here() -> str:
    """The top of the repository around the current folder, or that folder when it has an onggi.yaml.

    Raises SourceError for a repository of another user, and a usage error where there is none.
    """
    from reconciler.source.files import REPOSITORY_FILE
    from reconciler.source.foreign.judging import others_at, top_of

    here = Path.cwd()
    found = _top(here) if others_at(here) is None else top_of(here)
    if found is not None:
        return str(found)
    if (here / REPOSITORY_FILE).is_file():
        return str(here)
    raise click.UsageError(
        f"name REPO: {here} lies in no git repository, and has no {REPOSITORY_FILE} that would make a plain folder one"
    )


def _top(here: Path) -> Path | None:
    """As git says, which may only be asked about what nobody else may write."""
    from reconciler.source.git import discover

    found = discover(here)
    return found.path if found is not None else None


def repository_otherwise(ctx: click.Context) -> str:
    """What REPO is when the word in its place turned out to be another one: as its variable or the settings say."""
    return os.environ.get("ONGGI_REPOSITORY") or str(ctx.lookup_default("repository") or repository_here())
