"""Reading a definition in one walk: what a list of binds finds by path is found in the order in which it stands there.

A kind has some hundred fields, and a definition says a few of them. To ask it for each costs a search per field; a walk
costs what is there. At each step of a path the first element counts, as it does for writing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from specs.codecs import Codec
from specs.elements import Element, Elements, elements_at, steps

_Found = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of elements: which ones, what each says, and what is made of all that they said."""

    elements: Elements
    read: Callable[[Any], Any]
    whole: Callable[[list[Any]], Any] = list


@dataclass(slots=True)
class _Node:
    """What is wanted of an element: of its attributes, of its text, of itself, and below it."""

    attributes: list[tuple[str, str, Codec]] = field(default_factory=list)  # attribute, field's name
    texts: list[tuple[str, Codec]] = field(default_factory=list)
    wholes: list[tuple[str, Callable[[Any], Any]]] = field(default_factory=list)
    lists: dict[Any, list[tuple[str, Listed]]] = field(default_factory=dict)  # by tag
    below: dict[Any, _Node] = field(default_factory=dict)
    told_apart: dict[Any, dict[Elements, _Node]] = field(default_factory=dict)  # by tag, then by what they have to say

    def at(self, path: str) -> _Node:
        """The node of an element below this one's."""
        node = self
        for step in steps(path):
            if "[" in step:
                which = elements_at(step)
                node = node.told_apart.setdefault(which.tag, {}).setdefault(which, _Node())
            else:
                node = node.below.setdefault(step, _Node())
        return node

    def walk(self, element: Element, found: _Found) -> None:
        """Put what an element says into `found`."""
        for attribute, name, codec in self.attributes:
            text = element.get(attribute)
            if text is not None:
                found[name] = codec.decode(text)
        for name, codec in self.texts:
            found[name] = codec.decode(element.text or "")
        for name, read in self.wholes:
            found[name] = read(element)
        if self.below or self.lists or self.told_apart:
            self._walk_below(element, found)

    def _walk_below(self, element: Element, found: _Found) -> None:
        below, lists, told_apart = self.below, self.lists, self.told_apart
        seen: set[Any] = set()
        for child in element:
            tag = child.tag
            node = below.get(tag)
            if node is not None and tag not in seen:
                seen.add(tag)
                node.walk(child, found)
            for which, one in told_apart.get(tag, {}).items() if told_apart else ():
                if which not in seen and which.hold(child):
                    seen.add(which)
                    one.walk(child, found)
            for name, listed in lists.get(tag, ()):
                if listed.elements.hold(child):
                    found.setdefault(name, []).append(listed.read(child))


class Reading:
    """How a list of binds is read, worked out once from what each of them says of itself."""

    def __init__(self) -> None:
        self._root = _Node()
        self._wholes: dict[str, Callable[[list[Any]], Any]] = {}
        self._missing: list[tuple[str, Any]] = []
        self._by_hand: list[tuple[str, Callable[[Any], Any]]] = []

    def attribute(self, name: str, where: str, attribute: str, codec: Codec) -> None:
        """A field that is an attribute of the element at `where`."""
        self._root.at(where).attributes.append((attribute, name, codec))

    def text(self, name: str, where: str, codec: Codec) -> None:
        """A field that is the text of the element there."""
        self._root.at(where).texts.append((name, codec))

    def element(self, name: str, where: str, read: Callable[[Any], Any]) -> None:
        """A field that is whatever `read` finds in the element there."""
        self._root.at(where).wholes.append((name, read))

    def elements(self, name: str, listed: Listed) -> None:
        """A field that is made of several elements."""
        of = listed.elements
        self._root.at(of.way).lists.setdefault(of.tag, []).append((name, listed))
        self._wholes[name] = listed.whole

    def missing(self, name: str, value: Any) -> None:
        """What stands for a field of which the definition says nothing."""
        self._missing.append((name, value))

    def by_hand(self, name: str, read: Callable[[Any], Any]) -> None:
        """A field for which the whole definition is looked through."""
        self._by_hand.append((name, read))

    def of(self, root: Element) -> Iterator[tuple[str, Any]]:
        """(field's name, value) of everything that a definition says."""
        found: _Found = {}
        self._root.walk(root, found)
        for name, whole in self._wholes.items():
            if name in found:
                found[name] = whole(found[name])
        for name, missing in self._missing:
            if found.get(name) is None:
                found[name] = missing
        for name, read in self._by_hand:
            found[name] = read(root)
        return ((name, value) for name, value in found.items() if value is not None)
