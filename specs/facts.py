"""What a definition says, fact by fact, so that two of them can be compared by meaning.

A fact is an attribute's value, an element's text, or an element that says something by being there. Elements are paired
by what tells them apart for libvirt (each kind's `identity.py`), never by their place, unless their order means
something. What says how an object is doing, and not what it is, is no fact: libvirt makes it up anew for each run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from specs import canonical
from specs.binding import Element, text_at
from specs.codecs import bytes_of
from specs.mark import NAMESPACE
from specs.overlay.tables import ALIAS, Key, Table, tables
from specs.overlay.values import same

_MARK = f"{{{NAMESPACE}}}"
_OF_A_RUN = frozenset({"capacity", "allocation", "available", "key", "physical", "timestamps"})  # of pools and volumes
_IN_KIB = frozenset({"memory", "currentMemory", "maxMemory"})
_NUMBERS = frozenset({"domain", "bus", "slot", "function", "controller", "target", "unit", "port", "iobase", "irq"})
_PLACE = ("address",)
_BEING_THERE = {"": ("", "")}  # all that some elements say
_SECRET = frozenset({"passwd", "passwdValidTo"})
_PORTS = frozenset({"port", "tlsPort", "websocket"})


@dataclass(frozen=True, slots=True, order=True)
class Fact:
    """One: where it is (`devices/disk[vda]/driver/@cache`), and what it says there."""

    path: str
    value: str

    def __str__(self) -> str:
        return f"{self.path} = {self.value}" if self.value else self.path


@dataclass(frozen=True, slots=True)
class Comparison:
    """Of an object as it was, and as it is made again."""

    kept: int
    lost: tuple[Fact, ...]
    added: tuple[Fact, ...]  # what it didn't say before; of a changed value both sides are told

    @property
    def total(self) -> int:
        """How many facts there were."""
        return self.kept + len(self.lost)

    @property
    def equal(self) -> bool:
        """Both mean the same."""
        return not self.lost and not self.added


class Pair(NamedTuple):
    """Elements that mean the same thing in two definitions: None where one has no such."""

    one: Element | None
    other: Element | None
    path: str  # of tags
    key: Key  # that tells it apart; empty where nothing does, or something of only one of both


class Own(NamedTuple):
    """What an element says itself: a value by the name of its attribute, of its text by none."""

    name: str
    value: str


def table_for(root: Element) -> Table:
    """How the parts of a definition are told apart; of a kind that says nothing about that none is."""
    tag = str(root.tag)
    return tables().get(tag) or Table("", tag, {})


def facts(root: Element) -> tuple[Fact, ...]:
    """All that a definition says."""
    return tuple(_within(table_for(root), root, "", ""))


def compare(original: Element, rebuilt: Element) -> Comparison:
    """What of the original is kept in the other, what isn't, and what has come."""
    lost: list[Fact] = []
    added: list[Fact] = []
    kept = _compare(table_for(original), original, rebuilt, "", "", lost, added)
    return Comparison(kept, tuple(lost), tuple(added))


def equal(one: Element, other: Element) -> bool:
    """Both mean the same."""
    return compare(one, other).equal


def lost(original: Element, rebuilt: Element) -> tuple[Fact, ...]:
    """What the original says and the other doesn't."""
    return compare(original, rebuilt).lost


def own(element: Element) -> list[Own]:
    """What an element says itself, in libvirt's own words."""
    found = [Own(f"@{key}", value) for key, value in _attributes(element)]
    text = (element.text or "").strip()
    if text or (not found and len(element) == 0):
        found.append(Own("", text))
    return found


def children(element: Element) -> list[Element]:
    """The elements below that say something."""
    return [each for each in element if isinstance(each.tag, str) and not _is_of_a_run(element, each)]


def pairs(table: Table, one: Element, other: Element, path: str) -> Iterator[Pair]:
    """The elements below two, those that mean the same thing side by side."""
    left, right = _by_tag(table, one), _by_tag(table, other)
    for tag in dict.fromkeys((*left, *right)):
        yield from _paired(table, left.get(tag, []), right.get(tag, []), _below(path, tag))


def means_same(table: Table, path: str, one: Element, said: Own, other: Element, found: Own) -> bool:
    """Whether two values are the same in one spelling of several: sizes in bytes, numbers without zeros in front."""
    if _meaning(one, said) == _meaning(other, found):
        return True
    return same(table, _below(path, said.name) if said.name else path, said.value, found.value)


def _meaning(element: Element, said: Own) -> str:
    name, value = said
    tag = str(element.tag)
    if name == "" and value.isdigit():
        unit = element.get("unit") or ("KiB" if tag in _IN_KIB else "")
        return str(bytes_of(value, unit) or value) if unit else value
    if name == "@memory" and element.get("unit"):
        return str(bytes_of(value, element.get("unit", "")) or value)
    if value.startswith("0x") or (tag == "address" and name[1:] in _NUMBERS):
        return _number(value)
    return value.lower() if name == "" and tag == "uuid" else value


def _below(path: str, step: str) -> str:
    return f"{path}/{step}" if path else step


def _keys(table: Table, element: Element, path: str) -> list[Key]:
    """Of all that tells such elements apart whatever this one has."""
    return [key for key in table.at(path).keys if all(value_of(element, part) is not None for part in key)]


def name_of(element: Element) -> str:
    """An element by its place in a definition, as in the path of a fact."""
    root, way = element, []
    while (parent := root.getparent()) is not None:
        way.append(root)
        root = parent
    table, path, shown = table_for(root), "", ""
    for each in reversed(way):
        parent = each.getparent()
        path = _below(path, table.tag(str(each.tag)))
        among = 1 if parent is None else _sizes(parent)[each.tag]
        shown = _below(shown, _called(table, each, path, among))
    return shown


def _called(table: Table, element: Element, path: str, among: int) -> str:
    """An element on a path of facts: by what tells it apart, or by its place `among` brothers of its name."""
    tag = path.rpartition("/")[2]
    known = next((key for key in _keys(table, element, path) if key not in (ALIAS, _PLACE)), ())
    if known:
        return f"{tag}[{','.join(str(value_of(element, part)) for part in known)}]"
    if among < 2:
        return tag
    return f"{tag}[{1 + sum(1 for _ in element.itersiblings(element.tag, preceding=True))}]"


def _compare(
    table: Table, one: Element, other: Element, path: str, shown: str, lost: list[Fact], added: list[Fact]
) -> int:
    before = {each.name: each for each in own(one)}
    after = {each.name: each for each in own(other)}
    kept = 0
    if before == _BEING_THERE and "" not in after:
        kept, before = 1, {}  # and it is
    if after == _BEING_THERE and "" not in before:
        after = {}
    for name, said in before.items():
        if name in after and means_same(table, path, one, said, other, after[name]):
            kept += 1
            del after[name]
        else:
            lost.append(Fact(_below(shown, name).rstrip("/"), said.value))
    added.extend(Fact(_below(shown, name).rstrip("/"), said.value) for name, said in after.items())
    sizes = _sizes(one), _sizes(other)
    for pair in pairs(table, one, other, path):
        for element, size in ((pair.one, sizes[0]), (pair.other, sizes[1])):
            if element is not None:
                step = _below(shown, _called(table, element, pair.path, size[element.tag]))
                break
        if pair.one is not None and pair.other is not None:
            kept += _compare(table, pair.one, pair.other, pair.path, step, lost, added)
        elif pair.one is not None:
            lost.extend(_within(table, pair.one, pair.path, step))
        elif pair.other is not None:
            added.extend(_within(table, pair.other, pair.path, step))
    return kept


def _within(table: Table, element: Element, path: str, shown: str) -> Iterator[Fact]:
    for name, value in own(element):
        yield Fact(_below(shown, name).rstrip("/"), value)
    sizes = _sizes(element)
    for each in children(element):
        below = _below(path, table.tag(str(each.tag)))
        yield from _within(table, each, below, _below(shown, _called(table, each, below, sizes[each.tag])))


def _sizes(element: Element) -> Counter[object]:
    return Counter(each.tag for each in children(element))


def _by_tag(table: Table, element: Element) -> dict[str, list[Element]]:
    found: dict[str, list[Element]] = {}
    for each in children(element):
        found.setdefault(table.tag(str(each.tag)), []).append(each)
    return found


def _paired(table: Table, left: list[Element], right: list[Element], path: str) -> Iterator[Pair]:
    free = list(right)
    unpaired: list[Element] = []
    for each in left:
        keys = _keys(table, each, path)
        for other in free:
            shared = next((key for key in keys if _has(other, key)), None)
            if shared is not None and _agree(table, path, each, other, shared):
                free.remove(other)
                yield Pair(each, other, path, shared)
                break
        else:
            unpaired.append(each)
    found_for = _likest(table, unpaired, free, path)
    for each in unpaired:
        yield Pair(each, found_for.get(each), path, ())
    taken = set(found_for.values())
    yield from (Pair(None, other, path, ()) for other in free if other not in taken)


def value_of(element: Element, part: str) -> str | None:
    """What a part of a key says: a text, or all that an element without text says."""
    if element.tag == "console" and part == "target/@port":
        return None  # libvirt counts them anew for each definition
    if (text := text_at(element, part)) or "@" in part:
        return None if part == ALIAS[0] and not str(text).startswith("ua-") else text
    found = element.find(part)
    said = sorted(_attributes(found)) if found is not None else ()
    return " ".join(f"{key}={_number(value)}" for key, value in said) or None


def _has(element: Element, key: Key) -> bool:
    return all(value_of(element, part) is not None for part in key)


def _agree(table: Table, path: str, one: Element, other: Element, key: Key) -> bool:
    return all(same(table, _below(path, part), str(value_of(one, part)), value_of(other, part)) for part in key)


def _likest(table: Table, unpaired: list[Element], free: list[Element], path: str) -> dict[Element, Element]:
    """For each the one that could be the same thing and says most of what it does; the first of several."""
    could_be = [
        (one, other)
        for one in unpaired
        for other in free
        if not any(_has(other, key) for key in _keys(table, one, path))
    ]
    if len(unpaired) > 1 or len(free) > 1:
        said = {each: set(_within(table, each, path, "")) for each in (*unpaired, *free)}
        if not table.at(path).ordered:
            could_be.sort(key=lambda both: -len(said[both[0]] & said[both[1]]))
    found: dict[Element, Element] = {}
    taken: set[Element] = set()
    for one, other in could_be:
        if one not in found and other not in taken:
            found[one] = other
            taken.add(other)
    return found


def _attributes(element: Element) -> Iterator[tuple[str, str]]:
    tag = str(element.tag)
    for key, value in element.attrib.items():
        name, said = str(key), str(value)
        if name == "unit" and (tag != "address"):
            continue  # a part of the size
        if name in _PORTS and said == "-1":
            continue  # libvirt chooses one for each run
        if (name == "id" and element.getparent() is None) or name == "tty" or name == "connections":
            continue
        parent = element.getparent()
        if name == "port" and tag == "target" and parent is not None and parent.tag == "console":
            continue
        if name == "dev" and tag == "target" and said.startswith(("vnet", "macvtap", "macvlan")):
            continue
        if name in _SECRET:
            continue  # libvirt tells none, and nobody writes one down
        if name == "netmask":
            yield "prefix", canonical.prefix(said)
        else:
            yield name, said


def _is_of_a_run(parent: Element, element: Element) -> bool:
    tag = str(element.tag)
    if tag.startswith(_MARK):
        return True
    if tag == "metadata":
        return all(str(each.tag).startswith(_MARK) for each in element)
    if tag == "alias":
        return not str(element.get("name", "")).startswith("ua-")
    if parent.tag == "pool" and tag == "source":
        return len(element) == 0 and not element.attrib
    if parent.tag in ("pool", "volume"):
        return tag in _OF_A_RUN and not (tag == "capacity" and parent.tag == "volume")
    if tag in ("label", "imagelabel") and parent.tag == "seclabel":
        # A machine's own: what a source is to be labelled is said there.
        whose = parent.getparent()
        return (whose is None or whose.tag == "domain") and parent.get("type", "dynamic") == "dynamic"
    return tag == "timestamps"


def _number(value: str) -> str:
    try:
        return str(int(value, 0))
    except ValueError:
        return str(int(value)) if value.isdigit() else value
