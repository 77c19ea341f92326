"""What of a fragment's statements a definition doesn't hold, as changes.

Kept by the texts of both, so that comparing again what is as before costs nothing.
"""

from __future__ import annotations

from functools import lru_cache

from specs.binding import parse
from specs.effect import Change
from specs.mark import read_mark
from specs.overlay.merging import value_at
from specs.overlay.tables import table_of
from specs.overlay.writing import FIELD, PREFIX, leaving, unsaid
from specs.registry import kinds


@lru_cache(maxsize=4096)
def config_changes(kind: str, text: str | None, earlier: frozenset[str], xml: str) -> tuple[Change, ...]:
    """Of the persistent definition: what has to go because only an `earlier` fragment stated it, and what is wrong."""
    table, root, effect = table_of(kind), parse(xml), kinds()[kind].declarations.SPEC[FIELD].effect
    return (
        *(Change(f"{PREFIX}{pointer}", old, None, effect) for pointer, old in leaving(table, root, text, earlier)),
        *(Change(f"{PREFIX}{each.pointer}", each.found, each.stated, effect) for each in unsaid(table, root, text)),
    )


@lru_cache(maxsize=4096)
def live_changes(kind: str, text: str | None, earlier: frozenset[str], xml: str, run: str) -> tuple[Change, ...]:
    """The same of the running one, without what a run has of its own.

    It also has what the definition (`xml`) has lost since it began: its mark is as old as the run.
    """
    table, root, effect = table_of(kind), parse(run), kinds()[kind].declarations.SPEC[FIELD].effect
    mark, defined = read_mark(root), parse(xml)
    gone = leaving(table, root, text, earlier | (mark.managed if mark is not None else frozenset()))
    found = [
        *(
            Change(f"{PREFIX}{pointer}", old, None, effect)
            for pointer, old in gone
            if f"{PREFIX}{pointer}" in earlier or value_at(table, defined, pointer) is None
        ),
        *(Change(f"{PREFIX}{each.pointer}", each.found, each.stated, effect) for each in unsaid(table, root, text)),
    ]
    return tuple(change for change in found if not _varies(table.varies, change.pointer.removeprefix(PREFIX)))


def _varies(paths: tuple[str, ...], pointer: str) -> bool:
    return any(pointer == path or pointer.startswith(f"{path}/") for path in paths)
