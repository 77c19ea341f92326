"""A fragment's statements: put into a definition, looked for in it, and taken out of it. Pure functions on trees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lxml import etree

from specs.overlay.pairing import (
    TEXT,
    Known,
    Pair,
    Place,
    as_list,
    attributes,
    children,
    located,
    of_tag,
    ordered,
    pairs,
    text_of,
)
from specs.overlay.tables import Table
from specs.overlay.values import same, same_amount

Element = etree._Element

_SHOWN = 400  # characters of an element in a plan


class Difference(NamedTuple):
    """A statement that a definition doesn't hold: `found` is what it says instead, None where it says nothing."""

    pointer: str
    found: str | None
    stated: str
    thing: Element | None = None  # what is missing, where all of a thing is


def merge(table: Table, root: Element, fragment: Element) -> Element:
    """Make a definition say all that a fragment says; whatever agrees already, and all else, stays as it stands."""
    _merge(table, root, fragment, "")
    return root


def _merge(table: Table, found: Element, stated: Element, path: str) -> None:
    for name, value in _wrong(table, found, stated, path):
        if name:
            found.set(name, value)
        else:
            found.text = value
    for tag, (wanted, present) in ordered(table, stated, found, path).items():
        if wanted != present:
            for old in of_tag(table, found, tag):
                found.remove(old)
            for child in of_tag(table, stated, tag):
                found.append(_copied(child))
    for pair in list(pairs(table, stated, found, path)):
        if pair.found is None:
            found.append(_copied(pair.stated))
        elif not pair.siblings.listed:
            _merge(table, pair.found, pair.stated, pair.path)


def _wrong(table: Table, found: Element, stated: Element, path: str) -> Iterator[tuple[str, str]]:
    """The attributes, and the text (named ``), that aren't as they are stated."""
    agreed = same_amount(table, stated, found)
    for name, value in attributes(stated):
        if f"@{name}" not in agreed and not same(table, _join(path, f"@{name}"), value, found.get(name)):
            yield name, value
    text = text_of(stated)
    if text and TEXT not in agreed and not same(table, path, text, text_of(found)):
        yield "", text


def _copied(element: Element) -> Element:
    """A copy without comments and without what is behind it."""
    made = etree.Element(element.tag, dict(attributes(element)), nsmap=element.nsmap)  # type: ignore[arg-type]
    if (text := text_of(element)) or element.text:
        made.text = text or None
    for child in children(element):
        made.append(_copied(child))
    return made


def differences(table: Table, root: Element, fragment: Element) -> list[Difference]:
    """What a fragment says and a definition doesn't hold."""
    return list(_differences(table, root, fragment, "", ""))


def _differences(
    table: Table, found: Element | None, stated: Element, path: str, pointer: str, keys: frozenset[Place] = frozenset()
) -> Iterator[Difference]:
    there = etree.Element(stated.tag) if found is None else found
    for name, value in _wrong(table, there, stated, path):
        if (stated, name) not in keys:
            old = there.get(name) if name else text_of(there) or None
            yield Difference(_join(pointer, f"@{name}" if name else TEXT), old, value)
    for tag, (wanted, present) in ordered(table, stated, found, path).items():
        if wanted != present:
            yield Difference(_join(pointer, tag), present or None, wanted)
    for pair in pairs(table, stated, found, path):
        below = _join(pointer, pair.step)
        if pair.found is None and (pair.is_thing or pair.keys):
            yield Difference(below, None, shown(pair.stated), pair.stated)
        elif not pair.siblings.listed:
            yield from _differences(table, pair.found, pair.stated, pair.path, below, keys | pair.keys)


def facts(table: Table, fragment: Element) -> dict[str, str]:
    """Each statement of a fragment: the pointer to what it is about, and what it says. A thing as such says nothing."""
    return dict(_facts(table, fragment, "", "", frozenset()))


def _facts(table: Table, stated: Element, path: str, pointer: str, keys: frozenset[Place]) -> Iterator[tuple[str, str]]:
    for name, value in attributes(stated):
        if (stated, name) not in keys:
            yield _join(pointer, f"@{name}"), value
    text = text_of(stated)
    if text and (stated, "") not in keys:
        yield _join(pointer, TEXT), text
    for tag in ordered(table, stated, None, path):
        yield _join(pointer, tag), as_list(table, stated, tag)
    for pair in pairs(table, stated, None, path):
        below = _join(pointer, pair.step)
        if pair.is_thing:
            yield below, ""
        if not pair.siblings.listed:
            yield from _facts(table, pair.stated, pair.path, below, keys | pair.keys)


def left_over(table: Table, root: Element, earlier: Iterable[str], stated: Iterable[str]) -> list[str]:
    """Of the pointers to what was stated once those to what isn't any more, and is still in the definition.

    What is in a thing that goes as a whole isn't told beside it.
    """
    now = set(stated)
    gone = sorted(pointer for pointer in earlier if pointer not in now)
    known: Known = {}
    still = {above for pointer in now for above in _above(pointer)}  # about which something is still said: they stay
    kept = {pointer for pointer in gone if pointer not in still and _is_there(table, root, pointer, known)}
    return [pointer for pointer in gone if pointer in kept and kept.isdisjoint(_above(pointer))]


def _is_there(table: Table, root: Element, pointer: str, known: Known) -> bool:
    for element, name in located(table, root, pointer, known):
        return name is None or bool(element.get(name) is not None if name else text_of(element))
    return False


def _above(pointer: str) -> Iterator[str]:
    """The pointers to what a pointer's place is in."""
    while "/" in pointer:
        pointer = pointer.rpartition("/")[0]
        yield pointer


def remove(table: Table, root: Element, pointers: Iterable[str]) -> None:
    """Take out of a definition what pointers mean, and what is empty for that."""
    known: Known = {}
    for element, name in [place for pointer in pointers for place in located(table, root, pointer, known)]:
        holder = element.getparent()
        if name is None and holder is not None:
            holder.remove(element)
            _drop_empty(holder)
            continue
        if not name:
            element.text = None
        elif name in element.attrib:
            del element.attrib[name]
        _drop_empty(element)


def value_at(table: Table, root: Element, pointer: str) -> str | None:
    """What a definition says at a pointer, as it is shown."""
    for element, name in located(table, root, pointer):
        return shown(element) if name is None else element.get(name) if name else text_of(element)
    return None


def shown(element: Element) -> str:
    """An element on one line."""
    text = etree.tostring(_copied(element), encoding="unicode", with_tail=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _drop_empty(element: Element) -> None:
    while not (element.attrib or children(element) or text_of(element)):
        holder = element.getparent()
        if holder is None:
            return
        holder.remove(element)
        element = holder


def things(table: Table, fragment: Element, path: str = "") -> Iterator[Pair]:
    """The things directly in a fragment's `path` that it describes in full."""
    holder = fragment.find(path) if path else fragment
    if holder is not None:
        yield from (pair for pair in pairs(table, holder, None, path) if pair.is_thing)


def _join(above: str, step: str) -> str:
    return f"{above}/{step}" if above else step
