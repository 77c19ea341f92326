"""Which element of a definition a fragment's element is about, and how both are called in pointers.

A step of a pointer is a tag, with a label in brackets where there may be several: `devices/disk[vdb]/driver/@cache`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice
from urllib.parse import quote, unquote

from lxml import etree

from specs.overlay.tables import ALIAS, OWN_ALIAS, Key, Siblings, Table
from specs.overlay.values import same, same_amount, spelt

Element = etree._Element
Place = tuple[Element, str]  # an element, and the name of its attribute: empty for its text

_STEP = re.compile(r"([^\[\]]+)(?:\[(.*)\](?:#([0-9]{1,4}))?)?")
_PLAIN = " :.+@!~*()'$&;?-_"  # of a label whatever means nothing in a pointer
_LABEL = re.compile(r"\[[^\]]*\](?:#[0-9]+)?")
_LONGEST = 1000
TEXT = "text()"


@dataclass(frozen=True, slots=True)
class Pair:
    """A fragment's element, and that of the definition which it is about, if it is there."""

    stated: Element
    found: Element | None
    path: str
    step: str  # its own in a pointer
    siblings: Siblings
    keys: frozenset[Place] = frozenset()  # what tells it apart, and is no statement of its own

    @property
    def is_thing(self) -> bool:
        """True where the fragment describes all of it, so that it goes when the fragment leaves it out."""
        if self.siblings.listed:
            return True
        whole = self.siblings.whole
        if whole is None:
            return len(children(self.stated)) == 0 and not self.stated.attrib and not text_of(self.stated)
        return not whole or any(_says(self.stated, path) for path in whole)


def children(element: Element) -> list[Element]:
    """The elements in an element, without comments and the like."""
    return [child for child in element if isinstance(child.tag, str)]


def attributes(element: Element) -> list[tuple[str, str]]:
    """An element's attributes."""
    return [(str(name), str(value)) for name, value in element.attrib.items()]


def text_of(element: Element) -> str:
    """An element's own text without the blanks around it."""
    return (element.text or "").strip()


def pairs(table: Table, stated: Element, found: Element | None, path: str) -> Iterator[Pair]:
    """Each element in a fragment's element with its partner among those in `found`. Ordered ones are left out."""
    here = children(stated)
    there: dict[str, list[Element]] = {}
    for each in () if found is None else children(found):
        there.setdefault(table.tag(each.tag), []).append(each)
    tags = [table.tag(child.tag) for child in here]
    counts = Counter(tags)
    among: dict[str, Among] = {}
    taken: set[Element] = set()
    alike: Counter[str] = Counter()  # of those that are called the same: how many there were
    for child, tag in zip(here, tags, strict=True):
        below = f"{path}/{tag}" if path else tag
        siblings = table.at(below)
        if siblings.ordered:
            continue
        if tag not in among:
            among[tag] = Among(table, below, there.get(tag, []), siblings)
        keys = _keys(child, siblings)
        if not keys and (siblings.listed or siblings.keys or counts[tag] > 1):
            siblings = Siblings(listed=True)
            partner = among[tag].saying(child, taken)
            step = f"{tag}[{_content(child)}]"
        elif keys:
            partner = among[tag].known_by(child, keys, taken)
            step = f"{tag}[{_label(child, siblings, keys[0])}]"
        else:
            partner, step = next((each for each in there.get(tag, ()) if each not in taken), None), tag
        alike[step] += 1
        step += f"#{alike[step]}" if alike[step] > 1 else ""
        if partner is not None:
            taken.add(partner)
        yield Pair(child, partner, below, step, siblings, _places(child, keys[0]) if keys else frozenset())


class Among:
    """The elements of one tag in one element, found by what tells them apart. It holds while nobody changes them."""

    def __init__(self, table: Table, path: str, elements: list[Element], siblings: Siblings) -> None:
        self.elements = elements
        self._table, self._path, self._siblings = table, path, siblings

    @cached_property
    def _by_key(self) -> dict[tuple[Key, tuple[object, ...]], list[Element]]:
        found: dict[tuple[Key, tuple[object, ...]], list[Element]] = {}
        for each in self.elements:
            for key in _keys(each, self._siblings):
                found.setdefault((key, _spelling(each, key)), []).append(each)
        return found

    @cached_property
    def _by_content(self) -> dict[str, list[Element]]:
        found: dict[str, list[Element]] = {}
        for each in self.elements:
            found.setdefault(_content(each), []).append(each)
        return found

    def known_by(self, child: Element, keys: list[Key], taken: Collection[Element]) -> Element | None:
        """The element that has one of a fragment's element's keys, unless it says otherwise of a better one."""
        for place, key in enumerate(keys):
            found = [
                each
                for each in self._by_key.get((key, _spelling(child, key)), ())
                if each not in taken and all(_agrees(child, each, known) for known in keys[:place])
            ]
            if len(found) > 1:  # such as the controllers of one USB bus: the one that is so already, if there is one
                return next((each for each in found if contains(self._table, each, child, self._path)), found[0])
            if found:
                return found[0]
        return None

    def saying(self, child: Element, taken: Collection[Element]) -> Element | None:
        """The first element that says all that a fragment's element says; best of all the one that says no more."""
        for candidates in (self._by_content.get(_content(child), ()), self.elements):
            for each in candidates:
                if each not in taken and contains(self._table, each, child, self._path):
                    return each
        return None

    def called(self, label: str) -> list[Element]:
        """The elements that a label means."""
        for key in self._siblings.keys:
            prefix = _prefix(self._siblings, key)
            values = label.removeprefix(prefix).split(",") if label.startswith(prefix) else []
            if len(values) == len(key):
                spelling = tuple(spelt(_name(part), unquote(value)) for part, value in zip(key, values, strict=True))
                if found := self._by_key.get((key, spelling)):
                    return found
        if found := self._by_content.get(label):
            return found
        said = [part.partition("=") for part in label.split(",")]
        if not all(sign for _, sign, _ in said):
            return []
        wanted = [(unquote(path), unquote(value)) for path, _, value in said]
        return [each for each in self.elements if self._says_all(each, wanted)]

    def _says_all(self, element: Element, wanted: list[tuple[str, str]]) -> bool:
        return all(
            any(same(self._table, f"{self._path}/{path}", value, found) for found in _values(element, path))
            for path, value in wanted
        )


Known = dict[tuple[Element, str], Among]  # what was looked up in a definition, by the parent and the path


def contains(table: Table, found: Element, stated: Element, path: str) -> bool:
    """Whether an element says all that a fragment's element says."""
    agreed = same_amount(table, stated, found)
    for name, value in attributes(stated):
        where = f"@{name}"
        if where not in agreed and not same(table, f"{path}/{where}", value, found.get(name)):
            return False
    text = text_of(stated)
    if text and TEXT not in agreed and not same(table, path, text, text_of(found)):
        return False
    if any(one != other for one, other in ordered(table, stated, found, path).values()):
        return False
    return all(
        pair.found is not None and (pair.siblings.listed or contains(table, pair.found, pair.stated, pair.path))
        for pair in pairs(table, stated, found, path)
    )


def ordered(table: Table, stated: Element, found: Element | None, path: str) -> dict[str, tuple[str, str]]:
    """The lists that a fragment's element has whole, by their tag: as they are stated, and as they are found."""
    tags = dict.fromkeys(table.tag(child.tag) for child in children(stated))
    return {
        tag: (as_list(table, stated, tag), "" if found is None else as_list(table, found, tag))
        for tag in tags
        if table.at(f"{path}/{tag}" if path else tag).ordered
    }


def as_list(table: Table, parent: Element, tag: str) -> str:
    """All that the elements of a tag say, in their order."""
    return "; ".join(unquote(_content(child)) for child in of_tag(table, parent, tag))


def of_tag(table: Table, parent: Element, tag: str) -> list[Element]:
    """The elements of a tag in an element."""
    return [child for child in children(parent) if table.tag(child.tag) == tag]


def path_of(pointer: str) -> str:
    """The path of tags that a pointer goes along: without labels."""
    return _LABEL.sub("", pointer)


def located(
    table: Table, root: Element, pointer: str, known: Known | None = None
) -> Iterator[tuple[Element, str | None]]:
    """What of a definition a pointer means: an element (several where they are one list) with the name of an attribute
    of it, nothing for its text, or None where all of it is meant. Whoever looks for many brings one `known`.
    """
    known = {} if known is None else known
    *way, last = pointer.split("/")
    element, path = root, ""
    steps = way if last.startswith("@") or last == TEXT else [*way, last]
    for step in steps:
        match = _STEP.fullmatch(step)
        if match is None:
            return
        tag, label = match[1], match[2]
        path = f"{path}/{tag}" if path else tag
        siblings = table.at(path)
        if (element, path) not in known:
            known[element, path] = Among(table, path, of_tag(table, element, tag), siblings)
        among = known[element, path]
        if siblings.ordered:
            yield from ((each, None) for each in among.elements)
            return
        called = among.elements if label is None else among.called(label)
        found = next(islice(called, int(match[3] or 1) - 1, None), None)
        if found is None:
            return
        element = found
    if steps is way:
        yield element, last.removeprefix("@") if last != TEXT else ""
    else:
        yield element, None


def _keys(child: Element, siblings: Siblings) -> list[Key]:
    """The keys of which an element has all, the best first."""
    return [key for key in siblings.keys if all(_value(child, path) is not None for path in key)]


def _name(path: str) -> str:
    return path.rpartition("/")[2].removeprefix("@")


def _spelling(element: Element, key: Key) -> tuple[object, ...]:
    """The values of a key in one spelling."""
    return tuple(spelt(_name(part), _value(element, part) or "") for part in key)


def _agrees(child: Element, other: Element, key: Key) -> bool:
    """Whether an element has the values of a key, or none."""
    for part in key:
        stated, found = _value(child, part), _value(other, part)
        if found is not None and stated is not None and spelt(_name(part), stated) != spelt(_name(part), found):
            return False
    return True


def _label(child: Element, siblings: Siblings, key: Key) -> str:
    text = ",".join(quote(_value(child, part) or "", safe=_PLAIN) for part in key)
    return _prefix(siblings, key) + text


def _prefix(siblings: Siblings, key: Key) -> str:
    """Before a label that isn't by the usual key: the name of what it is by."""
    if key == next(each for each in siblings.keys if each != ALIAS):
        return ""
    return "alias=" if key == ALIAS else f"{_name(key[0])}="


def _content(element: Element) -> str:
    """All that an element says, as far as a label has room for it."""
    said = []
    for path, value in _said(element, ""):
        said.append(f"{quote(path, safe=_PLAIN)}={quote(value, safe=_PLAIN)}")
        if sum(map(len, said)) > _LONGEST and len(said) > 1:
            said.pop()
            break
    return ",".join(said)


def _said(element: Element, path: str) -> Iterator[tuple[str, str]]:
    above = f"{path}/" if path else ""
    for name, value in attributes(element):
        yield f"{above}@{name}", value
    if text := text_of(element):
        yield path or ".", text
    for child in children(element):
        yield from _said(child, f"{above}{child.tag}")
    if not (element.attrib or text or children(element)) and path:
        yield path, ""


@lru_cache(maxsize=4096)
def _split(path: str) -> tuple[str, str]:
    where, _, last = path.rpartition("/")
    return (where or ".", last[1:]) if last.startswith("@") else (path, "")


def _value(element: Element, path: str) -> str | None:
    """The value at a path; of an element without text whatever its attributes say."""
    where, name = _split(path)
    found = element if where == "." else element.find(where)
    if found is None:
        return None
    if name:
        value = found.get(name)
        return None if path == ALIAS[0] and not (value or "").startswith(OWN_ALIAS) else value
    if text := text_of(found):
        return text
    parts = sorted((key, value) for key, value in attributes(found) if key not in ("multifunction", "zpci"))
    return " ".join(f"{key}:{_number(value)}" for key, value in parts) if parts else None


def _says(element: Element, path: str) -> bool:
    """Whether an element has anything at a path, or the very value that stands behind it."""
    path, sign, wanted = path.partition("=")
    value = _value(element, path)
    return value == wanted if sign else value is not None


def _values(element: Element, path: str) -> Iterator[str]:
    where, name = _split(path)
    for found in [element] if where == "." else element.findall(where):
        value = found.get(name) if name else text_of(found)
        if value is not None:
            yield value


def _number(text: str) -> str:
    try:
        return str(int(text, 0))
    except ValueError:
        return text


def _places(element: Element, key: Key) -> frozenset[Place]:
    found = set()
    for path in key:
        where, name = _split(path)
        holder = element if where == "." else element.find(where)
        if holder is not None:
            found |= {(holder, name)} if name else {(holder, str(each)) for each in holder.attrib} | {(holder, "")}
    return frozenset(found)
