"""What a definition says, fact by fact, so that two of them can be compared by meaning.

A fact is an attribute's value, an element's text, or an element that says something by being there. Elements are paired
by what tells them apart for libvirt (`identities`), never by their place, unless their order means something. What says
how an object is doing, and not what it is, is no fact: libvirt makes it up anew for each run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from specs.binding import Element
from specs.codecs import bytes_of
from specs.identities import ORDERED, identity
from specs.mark import NAMESPACE

_MARK = f"{{{NAMESPACE}}}"
_OF_A_RUN = frozenset({"capacity", "allocation", "available", "key", "physical", "timestamps"})  # of pools and volumes
_IN_KIB = frozenset({"memory", "currentMemory", "maxMemory"})
_NUMBERS = frozenset({"domain", "bus", "slot", "function", "controller", "target", "unit", "port", "iobase", "irq"})
_BEING_THERE = {"": ("", "")}  # all that some elements say
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


class Own(NamedTuple):
    """What an element says itself: a value by the name of its attribute, of its text by none."""

    name: str
    value: str


def facts(root: Element) -> tuple[Fact, ...]:
    """All that a definition says."""
    return tuple(_within(root, ""))


def compare(original: Element, rebuilt: Element) -> Comparison:
    """What of the original is kept in the other, what isn't, and what has come."""
    lost: list[Fact] = []
    added: list[Fact] = []
    kept = _compare(original, rebuilt, "", lost, added)
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
    if text or (not found and not any(True for _ in children(element)) and len(element) == 0):
        found.append(Own("", text))
    return found


def children(element: Element) -> list[Element]:
    """The elements below that say something."""
    return [each for each in element if isinstance(each.tag, str) and not _is_of_a_run(element, each)]


def pairs(one: Element, other: Element) -> Iterator[tuple[Element | None, Element | None]]:
    """The elements below two, those that mean the same thing side by side; None where one has no such."""
    left, right = _by_tag(one), _by_tag(other)
    for tag in dict.fromkeys((*left, *right)):
        yield from _paired(left.get(tag, []), right.get(tag, []))


def meaning(element: Element, said: Own) -> str:
    """A value in one spelling of several: sizes in bytes, numbers of addresses without zeros in front."""
    name, value = said
    tag = str(element.tag)
    if name == "" and value.isdigit():
        unit = element.get("unit") or ("KiB" if tag in _IN_KIB else "")
        return str(bytes_of(value, unit) or value) if unit else value
    if name == "@memory" and element.get("unit"):
        return str(bytes_of(value, element.get("unit", "")) or value)
    if tag == "address" and name[1:] in _NUMBERS:
        return _number(value)
    return value.lower() if name == "" and tag == "uuid" else value


def called(element: Element, among: int) -> str:
    """An element on a path: by what tells it apart where it has `among` brothers of its name."""
    tag = str(element.tag).rpartition("}")[2]
    known = identity(element)
    if known:
        return f"{tag}[{','.join(known)}]"
    if among < 2:
        return tag
    return f"{tag}[{1 + sum(1 for _ in element.itersiblings(element.tag, preceding=True))}]"


def _compare(one: Element, other: Element, path: str, lost: list[Fact], added: list[Fact]) -> int:
    before = {each.name: (meaning(one, each), each.value) for each in own(one)}
    after = {each.name: (meaning(other, each), each.value) for each in own(other)}
    kept = 0
    if before == _BEING_THERE and "" not in after:
        kept, before = 1, {}  # and it is
    if after == _BEING_THERE and "" not in before:
        after = {}
    for name, (value, shown) in before.items():
        if name in after and after[name][0] == value:
            kept += 1
        else:
            lost.append(Fact(f"{path}{name}".rstrip("/"), shown))
    for name, (value, shown) in after.items():
        if name not in before or before[name][0] != value:
            added.append(Fact(f"{path}{name}".rstrip("/"), shown))
    sizes = _sizes(one), _sizes(other)
    for each, counterpart in pairs(one, other):
        if each is not None and counterpart is not None:
            kept += _compare(each, counterpart, f"{path}{called(each, sizes[0][each.tag])}/", lost, added)
        elif each is not None:
            lost.extend(_within(each, f"{path}{called(each, sizes[0][each.tag])}/"))
        elif counterpart is not None:
            added.extend(_within(counterpart, f"{path}{called(counterpart, sizes[1][counterpart.tag])}/"))
    return kept


def _within(element: Element, path: str) -> Iterator[Fact]:
    for name, value in own(element):
        yield Fact(f"{path}{name}".rstrip("/"), value)
    sizes = _sizes(element)
    for each in children(element):
        yield from _within(each, f"{path}{called(each, sizes[each.tag])}/")


def _sizes(element: Element) -> defaultdict[object, int]:
    found: defaultdict[object, int] = defaultdict(int)
    for each in children(element):
        found[each.tag] += 1
    return found


def _by_tag(element: Element) -> dict[str, list[Element]]:
    found: dict[str, list[Element]] = {}
    for each in children(element):
        found.setdefault(str(each.tag), []).append(each)
    return found


def _paired(left: list[Element], right: list[Element]) -> Iterator[tuple[Element | None, Element | None]]:
    free = list(right)
    unpaired: list[Element] = []
    for each in left:
        known = identity(each)
        found = next((other for other in free if identity(other) == known), None) if known else None
        if found is None:
            unpaired.append(each)
        else:
            free.remove(found)
            yield each, found
    found_for = _likest(unpaired, free)
    for each in unpaired:
        yield each, found_for.get(each)
    taken = set(found_for.values())
    yield from ((None, other) for other in free if other not in taken)


def _likest(unpaired: list[Element], free: list[Element]) -> dict[Element, Element]:
    """For each the one that could be the same thing and says most of what it does; the first of several."""
    could_be = [(one, other) for one in unpaired for other in free if not (identity(one) and identity(other))]
    if len(unpaired) > 1 or len(free) > 1:
        said = {each: set(_within(each, "")) for each in (*unpaired, *free)}
        if unpaired and str(unpaired[0].tag) not in ORDERED:
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
        if name == "dev" and tag == "target" and said.startswith(("vnet", "macvtap", "macvlan")):
            continue
        yield name, said


def _is_of_a_run(parent: Element, element: Element) -> bool:
    tag = str(element.tag)
    if tag.startswith(_MARK):
        return True
    if tag == "metadata":
        return all(str(each.tag).startswith(_MARK) for each in element)
    if tag == "alias":
        return not str(element.get("name", "")).startswith("ua-")
    if parent.tag in ("pool", "volume"):
        return tag in _OF_A_RUN and not (tag == "capacity" and parent.tag == "volume")
    if tag in ("label", "imagelabel") and parent.tag == "seclabel":
        return parent.get("type", "dynamic") == "dynamic"
    return tag == "timestamps"


def _number(value: str) -> str:
    try:
        return str(int(value, 0))
    except ValueError:
        return str(int(value)) if value.isdigit() else value
