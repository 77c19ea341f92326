"""Which elements of a definition a list is about: those of one tag at one place, some of them told by what they say.

`devices/channel[target/@type='virtio']` are the channels whose target says so, and a new one says it too;
`devices/console[target/@type!='serial']` are all those that don't say that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from lxml import etree

Element = etree._Element

_PLACE = re.compile(r"(?P<way>(?:.*/)?)(?P<tag>[\w:-]+)(?P<conditions>(?:\[[^\]]+\])*)")
_STEP = re.compile(r"[^/\[\]]+(?:\[[^\]]*\])*")
_CONDITION = re.compile(r"\[(?P<path>[\w:/@.-]+?)(?P<sign>!?=)'(?P<value>[^']*)'\]")


@dataclass(frozen=True, slots=True)
class Condition:
    """What the text at a path has to be, or may not be."""

    path: str
    value: str
    negative: bool

    def holds(self, element: Element) -> bool:
        """Whether an element is so."""
        where, _, attribute = self.path.rpartition("@")
        found = element.find(where.rstrip("/")) if where else element
        text = None if found is None else found.get(attribute)
        return (text != self.value) if self.negative else (text == self.value)


@dataclass(frozen=True, slots=True)
class Elements:
    """The elements of one tag below the element at `way` (empty: the one that is asked), with their conditions."""

    way: str
    tag: str
    conditions: tuple[Condition, ...] = ()

    def of(self, root: Any) -> Iterator[Any]:
        """Those that are there, in the order of the definition."""
        parent = root.find(self.way) if self.way else root
        if parent is not None:
            yield from filter(self.hold, parent.iterchildren(self.tag))

    def hold(self, element: Element) -> bool:
        """Whether an element of the tag is one of them."""
        return all(each.holds(element) for each in self.conditions)

    def made(self) -> Any:
        """A new one, which belongs nowhere yet."""
        made = etree.Element(self.tag)
        for each in self.conditions:
            if not each.negative:
                where, _, attribute = each.path.rpartition("@")
                holder = made
                for tag in filter(None, where.split("/")):
                    found = holder.find(tag)
                    holder = etree.SubElement(holder, tag) if found is None else found
                holder.set(attribute, each.value)
        return made


@cache  # places are declared, and few
def elements_at(place: str) -> Elements:
    """What a place in a declaration means. Raises ValueError for what is none."""
    match = _PLACE.fullmatch(place)
    conditions = [] if match is None else list(_CONDITION.finditer(match["conditions"]))
    if match is None or "".join(each[0] for each in conditions) != match["conditions"]:
        raise ValueError(f"{place!r} isn't a place of elements")
    return Elements(
        match["way"].rstrip("/"),
        match["tag"],
        tuple(Condition(each["path"], each["value"], each["sign"] == "!=") for each in conditions),
    )


@cache
def steps(path: str) -> tuple[str, ...]:
    """The steps of a path, each with its conditions: `a[@b='c/d']/e` → `a[@b='c/d']`, `e`."""
    return tuple(step for step in _STEP.findall(path) if step != ".")
