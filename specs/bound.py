"""What hangs on a field's value: parts of the XML that libvirt only takes together with some values of it.

A bind that says what kind of thing something is (a disk's bus, a console's protocol, what a NIC is plugged into)
declares beside it what goes when that changes. Whatever isn't named so stays, known to onggi or not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from lxml import etree

Element = etree._Element

_ATTRIBUTE = re.compile(r"(?:(?P<where>.*)/)?@(?P<name>[\w-]+)")


@dataclass(frozen=True, slots=True)
class Bound:
    """`parts` leave with each new value with which they may not stay.

    A part is a path from the field's own element, or from the root of the document where it begins with a slash. Its
    steps may have conditions (`/devices/channel[@type='spicevmc']`); its end may be an attribute (`driver/@queues`).
    """

    parts: tuple[str, ...]
    stays: Callable[[Any, Element], bool]  # (new value, the field's element as it was before)

    def leave(self, element: Element, value: Any) -> None:
        """Take out of the XML around `element` what can't be beside `value`."""
        for holder, attribute in self._leaving(element, value):
            if attribute:
                del holder.attrib[attribute]
            elif (parent := holder.getparent()) is not None:
                parent.remove(holder)

    def leaving(self, element: Element, value: Any) -> tuple[str, ...]:
        """The names of what there is and would go: of elements and attributes."""
        return tuple(attribute or str(holder.tag) for holder, attribute in self._leaving(element, value))

    def _leaving(self, element: Element, value: Any) -> list[tuple[Element, str]]:
        if self.stays(value, element):
            return []
        return [place for part in self.parts for place in _found(element, part)]


def bound_to(values: frozenset[Any] | set[Any], *parts: str) -> Bound:
    """Parts that only go with some values."""
    return Bound(parts, lambda value, _element: value in values)


def never_beside(*parts: str) -> Bound:
    """Parts that go with no value at all: whatever a document can say excludes them."""
    return Bound(parts, lambda _value, _element: False)


def _found(element: Element, part: str) -> Iterator[tuple[Element, str]]:
    """Each place that a part means: an element, or an element and the name of its attribute."""
    if part.startswith("/"):
        element, part = element.getroottree().getroot(), part[1:]
    where, name = _split(part)
    for each in element.findall(where) if where else [element]:
        if not name or name in each.attrib:
            yield each, name


@cache  # parts are declared, and few
def _split(part: str) -> tuple[str, str]:
    """The path to an element, empty for the very same one; and the name of the attribute, if it is one's."""
    match = _ATTRIBUTE.fullmatch(part)
    return (part, "") if match is None else (match["where"] or "", match["name"])
