"""The way of a fragment into a definition, together with the fields of its document.

What a fragment describes in full goes in first, so that new devices of fields get the names that are still free; what
it adds to things goes in last, for fields make some of these. What it said once and doesn't any more goes out before.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from functools import lru_cache

from lxml import etree

from specs.overlay.fragment import parsed
from specs.overlay.merging import Difference, differences, facts, left_over, merge, remove, things, value_at
from specs.overlay.tables import Table, tables
from specs.problem import Unrenderable

Element = etree._Element

FIELD = "xml"
PREFIX = f"/{FIELD}/"


class ContradictionError(Unrenderable):
    """A fragment and a field of one document that say different things. `found` has a sentence for each pointer."""

    def __init__(self, found: dict[str, str]) -> None:
        super().__init__("; ".join(found.values()))
        self.found = found


def write_with(root: Element, text: str | None, managed: Iterable[str], fields: Callable[[], None]) -> None:
    """Change a definition so that it says what a document's fragment says, and what `fields` writes into it.

    Raises ContradictionError where it can't say both: where one undoes what the other has written.
    """
    table = tables()[root.tag]
    remove(table, root, stale(table, root, text, managed))
    if not text:
        fields()
        return
    fragment = parsed(text)
    _merge_things(table, root, fragment)
    fields()
    merge(table, root, fragment)
    fields()
    if lost := differences(table, root, fragment):
        raise ContradictionError({each.pointer: _contradiction(each) for each in lost})


def _contradiction(lost: Difference) -> str:
    made = f"another field of the document makes it {lost.found}" if lost.found else "other fields take it out again"
    return f"{lost.pointer} is to be {lost.stated} by the document's XML, and {made}; remove one of the two"


def _merge_things(table: Table, root: Element, fragment: Element) -> None:
    described = [copy.deepcopy(pair.stated) for pair in things(table, fragment, "devices")]
    if described:
        first = etree.Element(fragment.tag)
        etree.SubElement(first, "devices").extend(described)
        merge(table, root, first)


def pointers(text: str | None) -> frozenset[str]:
    """What of a definition a fragment speaks of, as an object's mark keeps it."""
    return frozenset(f"{PREFIX}{pointer}" for pointer in _facts(text)) if text else frozenset()


@lru_cache(maxsize=1024)
def _facts(text: str) -> dict[str, str]:
    fragment = parsed(text)
    return facts(tables()[fragment.tag], fragment)


@lru_cache(maxsize=1024)
def without(text: str, ignored: tuple[str, ...]) -> str:
    """A fragment without some of its statements."""
    root = copy.deepcopy(parsed(text))
    remove(tables()[root.tag], root, [pointer.removeprefix(PREFIX) for pointer in ignored])
    return etree.tostring(root, encoding="unicode")


def stale(table: Table, root: Element, text: str | None, managed: Iterable[str]) -> list[str]:
    """Of what was stated once whatever isn't any more, and is still there: pointers below the field."""
    earlier = [pointer.removeprefix(PREFIX) for pointer in managed if pointer.startswith(PREFIX)]
    return left_over(table, root, earlier, _facts(text) if text else ()) if earlier else []


def unsaid(table: Table, root: Element, text: str | None) -> list[Difference]:
    """What a fragment says and a definition doesn't hold."""
    return differences(table, root, parsed(text)) if text else []


def leaving(table: Table, root: Element, text: str | None, managed: Iterable[str]) -> list[tuple[str, str | None]]:
    """(pointer, what the definition says there) of what has to go."""
    return [(pointer, value_at(table, root, pointer)) for pointer in stale(table, root, text, managed)]
