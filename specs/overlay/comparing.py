"""What of a fragment's statements a definition doesn't hold, as changes.

Kept by the texts of both, so that comparing again what is as before costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from specs.binding import Element, parse
from specs.effect import Change, Effect
from specs.mark import read_mark
from specs.overlay.merging import Difference, value_at
from specs.overlay.pairing import located, path_of
from specs.overlay.tables import Table, table_of
from specs.overlay.writing import FIELD, PREFIX, leaving, unsaid
from specs.registry import kinds


@lru_cache(maxsize=4096)
def config_changes(kind: str, text: str | None, earlier: frozenset[str], xml: str) -> tuple[Change, ...]:
    """Of the persistent definition: what has to go because only an `earlier` fragment stated it, and what is wrong."""
    table, root = table_of(kind), parse(xml)
    gone = leaving(table, root, text, earlier)
    return (*_gone(table, root, gone), *_wrong(table, unsaid(table, root, text)))


@lru_cache(maxsize=4096)
def live_changes(kind: str, text: str | None, earlier: frozenset[str], xml: str, run: str) -> tuple[Change, ...]:
    """The same of the running one, without what a run has of its own.

    It also has what the definition (`xml`) has lost since it began: its mark is as old as the run.
    """
    table, root = table_of(kind), parse(run)
    mark, defined = read_mark(root), parse(xml)
    gone = [
        (pointer, old)
        for pointer, old in leaving(table, root, text, earlier | (mark.managed if mark is not None else frozenset()))
        if f"{PREFIX}{pointer}" in earlier or value_at(table, defined, pointer) is None
    ]
    found = (*_gone(table, root, gone), *_wrong(table, unsaid(table, root, text)))
    return tuple(each for each in found if not _is_in(table.varies, path_of(each.pointer.removeprefix(PREFIX))))


def _gone(table: Table, root: Element, gone: Iterable[tuple[str, str | None]]) -> Iterator[Change]:
    for pointer, old in gone:
        if _is_in(table.at_birth, path_of(pointer)):
            continue  # what was made so stays so
        resting = path_of(pointer) in table.resting
        thing = next((each for each, name in located(table, root, pointer) if name is None and not resting), None)
        yield Change(f"{PREFIX}{pointer}", old, None, _effect(table, pointer, thing))


def _wrong(table: Table, wrong: Iterable[Difference]) -> Iterator[Change]:
    for each in wrong:
        yield Change(f"{PREFIX}{each.pointer}", each.found, each.stated, _effect(table, each.pointer, each.thing))


def _effect(table: Table, pointer: str, thing: Element | None) -> Effect:
    """Live for what a running object can be told, forbidden for what is so since it was made; else as the field."""
    path = path_of(pointer)
    if _is_in(table.at_birth, path):
        return Effect.FORBIDDEN
    plugged = table.plugged.get(path)
    if thing is not None and plugged is not None and plugged(thing):
        return Effect.LIVE
    if any(path.startswith(f"{updated}/") for updated in table.updated):
        return Effect.LIVE
    return kinds()[table.kind].declarations.SPEC[FIELD].effect


def _is_in(places: tuple[str, ...], path: str) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in places)
