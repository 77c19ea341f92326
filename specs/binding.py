"""One declared bind per field: it reads the field from XML, writes it into XML, compares it and names its effect.

A kind lists its binds once in its `xml.py`; defining, observing, diffing and patching all come from that list.
Only what the author declared is compared (an omitted field is unmanaged) and only what differs is written, so that
XML that onggi doesn't know passes through untouched.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from lxml import etree

from specs.bound import Bound
from specs.codecs import TEXT, Codec
from specs.effect import Change, Effect
from specs.elements import elements_at, steps
from specs.plain import NewSpec, Spec
from specs.reading import Listed, Reading
from specs.safe_xml import parse as parse  # so that who works with definitions needs one module

Element = etree._Element
Item = Any  # of a list: of the type that the kind gives it, whose own functions the hooks of `Items` are
EffectOf = Effect | Callable[[Any, Any], Effect]  # fixed, or decided from (old, new)


def serialise(root: Element) -> str:
    """The XML text that is handed to libvirt."""
    return etree.tostring(root, pretty_print=True, encoding="unicode")


def element(tag: str, *content: Element | str, **attributes: str) -> Element:
    """A new element with its attributes, children and text: `element("os", element("boot", dev="hd"))`."""
    made = etree.Element(tag, attributes)
    for each in content:
        if isinstance(each, str):
            made.text = each
        else:
            made.append(each)
    return made


def drop_attributes(holder: Element, *names: str) -> None:
    """Remove attributes, those that are there."""
    for name in names:
        if name in holder.attrib:
            del holder.attrib[name]


def child_at(parent: Element, path: str) -> Element:
    """The element at a path (`os/loader`, `sysinfo[@type='smbios']`) below `parent`; what is missing on the way is
    created, so that it fulfils the path's conditions.
    """
    for step in steps(path):
        found = parent.find(step)
        if found is None:
            found = elements_at(step).made()
            parent.append(found)
        parent = found
    return parent


@lru_cache(maxsize=1024)
def _split(path: str) -> tuple[str, str, bool]:
    """An element's path, an attribute, and whether that element is a plain child, of which the parser's own search,
    which reads no path, takes half the time: `a/b/@c` → (`a/b`, `c`, no), `@c` → (`.`, `c`, no), `a` → (`a`, ``, yes).
    """
    where, slash, last = path.rpartition("/")
    if not last.startswith("@"):
        return path, "", path.isidentifier()
    return where if slash else ".", last[1:], where.isidentifier()


def split_path(path: str) -> tuple[str, str]:
    """An element's path (`.` for the very same one), and the attribute of it, if it is one's: `a/@c` → (`a`, `c`)."""
    where, attribute, _ = _split(path)
    return where, attribute


def text_at(parent: Element, path: str) -> str | None:
    """The text at `a/b` or the attribute at `a/b/@c`; None when it isn't there."""
    where, attribute, is_child = _split(path)
    if where == ".":
        found: Element | None = parent
    elif is_child:
        found = next(parent.iterchildren(where), None)
    else:
        found = parent.find(where)
    if found is None:
        return None
    return found.get(attribute) if attribute else (found.text or "")


def set_text_at(parent: Element, path: str, text: str | None) -> None:
    """Write the text at `a/b` or the attribute at `a/b/@c`; None removes it and leaves its surroundings."""
    where, attribute, _ = _split(path)
    if text is None:
        found = parent.find(where)
        if found is not None and attribute:
            drop_attributes(found, attribute)
        elif found is not None and (holder := found.getparent()) is not None:
            holder.remove(found)
        return
    found = parent if where == "." else child_at(parent, where)
    if attribute:
        found.set(attribute, text)
    else:
        found.text = text


class Around(NamedTuple):
    """Where a changed field is: the list item that has it (the whole spec for a field of the object itself)."""

    item: Spec  # as observed; empty for an item that is new
    declared: Spec  # the whole spec
    observed: Spec  # the whole spec; empty for an object that is new


@dataclass(frozen=True, slots=True)
class Field:
    """A single value: `name` is its place in the spec (`/`-joined when nested: `dhcp/start`), `path` that in the XML.

    `get` and `put` stand in for `path` where the XML needs more than one element; `same(declared, observed)` where
    equality isn't `==`; `missing` is what an absent element means (libvirt's documented default), None: unknown;
    `effect_in(old, new, observed spec)` for `effect` where the effect hangs on other fields, `effect_among(old, new,
    around)` where it hangs on other declared ones too. In a list,
    `comparable(declared item, observed item)` is False where the two aren't about the same thing.

    `bound` names what of the XML goes when the value changes. `refuses(new value, around)` is for what can't be changed
    at all: a sentence with cause and remedy, or nothing.

    For reading in one walk `of` tells what the element at `path` says where that is more than a text, and `listed`
    which elements the value is made of. With `unsaid` a spec doesn't have what the definition doesn't say.
    """

    name: str
    path: str = ""
    codec: Codec = TEXT
    effect: EffectOf = Effect.LIVE
    get: Callable[[Element], Any] | None = None
    put: Callable[[Element, Any], None] | None = None
    same: Callable[[Any, Any], bool] | None = None
    missing: Any = None
    effect_in: Callable[[Any, Any, Any], Effect] | None = None
    effect_among: Callable[[Any, Any, Around], Effect] | None = None
    comparable: Callable[[Item, Item], bool] | None = None
    bound: tuple[Bound, ...] = ()
    refuses: Callable[[Any, Around], str] | None = None
    of: Callable[[Element], Any] | None = None
    listed: Listed | None = None
    unsaid: bool = False

    def found_in(self, observed: Spec) -> Any:
        """The value in an observed spec, or `missing`."""
        value = value_at(observed, self.name)
        return self.missing if value is None else value

    def read(self, element: Element) -> Any:
        """The observed value, or `missing`."""
        if self.get is not None:
            value = self.get(element)
        else:
            text = text_at(element, self.path)
            value = None if text is None else self.codec.decode(text)
        return self.missing if value is None else value

    def be_read(self, reading: Reading) -> None:
        """Say how a walk over a definition finds the value."""
        where, attribute = split_path(self.path)
        if self.listed is not None:
            reading.elements(self.name, self.listed)
        elif self.get is not None and self.of is None:
            reading.by_hand(self.name, self.read)
            return
        elif self.of is not None:
            reading.element(self.name, where, self.of)
        elif attribute:
            reading.attribute(self.name, where, attribute, self.codec)
        else:
            reading.text(self.name, where, self.codec)
        if self.missing is not None and not self.unsaid:
            reading.missing(self.name, self.missing)

    def write(self, element: Element, value: Any) -> None:
        """Make the XML say `value`, without what can't be beside it; None removes it."""
        for each in self.bound if value is not None else ():
            each.leave(element, value)
        if self.put is not None:
            self.put(element, value)
        else:
            set_text_at(element, self.path, None if value is None else self.codec.encode(value))

    def equal(self, declared: Any, observed: Any) -> bool:
        """True when what is observed is what was meant."""
        return self.same(declared, observed) if self.same is not None else bool(declared == observed)

    def is_comparable(self, declared: Spec, observed: Spec) -> bool:
        """False when this field of these two items means something else in each."""
        return self.comparable is None or self.comparable(declared, observed)

    def effect_of(self, old: Any, new: Any, observed: Spec) -> Effect:
        """What changing `old` into `new` costs an object that is as `observed`."""
        return effect_of(self.effect, old, new) if self.effect_in is None else self.effect_in(old, new, observed)

    def change(self, pointer: str, old: Any, new: Any, around: Around) -> Change:
        """The change of `old` into `new`; a forbidden one, with the sentence why, where it can't be made."""
        if self.refuses is not None and (why := self.refuses(new, around)):
            return Change(pointer, old, new, Effect.FORBIDDEN, why)
        effect = self.effect_among(old, new, around) if self.effect_among else self.effect_of(old, new, around.item)
        return Change(pointer, old, new, effect)


@dataclass(frozen=True, slots=True)
class Items:
    """A list of things in the XML (disks, interfaces, hosts). Items are paired by `identity`, never by position.

    `elements(root)` finds them, `build(item)` makes a new element for `parent`, `label(item)` names one in pointers.
    With `complete` an undeclared item is a removal; without it, only one that `managed` names is (see `differences`).

    Hooks for lists where that isn't enough: `match(declared, observed)` gives for each declared item the index
    of its observed one; `insert(root, item, declared)` adds a new element whose content hangs on the rest of the XML
    and of the spec; `known_as(observed item, labels)` finds the earlier label of an item that now has another one;
    `settle(root, declared spec, binds)` arranges what several lists share, once after everything is written.
    """

    name: str
    elements: Callable[[Element], Iterable[Element]]
    parent: str
    fields: tuple[Field, ...]
    identity: Callable[[Item], Hashable]
    label: Callable[[Item], str]
    build: Callable[[Item], Element]
    add_effect: EffectOf = Effect.LIVE
    remove_effect: EffectOf = Effect.LIVE
    complete: bool = False
    match: Callable[[Sequence[Item], Sequence[Item]], Sequence[int | None]] | None = None
    insert: Callable[[Element, Item, Any], Element] | None = None
    known_as: Callable[[Item, frozenset[str]], str | None] | None = None
    settle: Callable[[Element, Any, Sequence[Bind]], None] | None = None
    called: Callable[[Item], str] | None = None  # what its document calls an item that has another label
    listed: Listed | None = None  # where its elements are at one place
    by_themselves: bool = False  # libvirt adds such items, so that there is nothing to tell of an undeclared one

    def read(self, root: Element) -> list[NewSpec]:
        """Every item that the XML has, in document order."""
        found = [read(self.fields, element) for element in self.elements(root)]
        return found if self.listed is None else list(self.listed.whole(found))

    def be_read(self, reading: Reading) -> None:
        """Say how a walk over a definition finds the items."""
        if self.listed is not None:
            reading.elements(self.name, self.listed)
        else:
            reading.by_hand(self.name, self.read)

    def matches(self, declared: Sequence[Spec], observed: Sequence[Spec]) -> Sequence[int | None]:
        """For each declared item the index of the observed one that it means; None for one that is missing."""
        if self.match is not None:
            return self.match(declared, observed)
        left: dict[Hashable, int] = {}
        for index, item in enumerate(observed):
            left.setdefault(self.identity(item), index)
        return [left.pop(self.identity(item), None) for item in declared]

    def pairs(self, declared: Sequence[Spec], observed: Sequence[Spec]) -> Iterator[tuple[Spec | None, Spec | None]]:
        """(declared, observed) for what both have, (declared, None) for what misses, (None, observed) for extras."""
        indexes = self.matches(declared, observed)
        for item, index in zip(declared, indexes, strict=True):
            yield item, None if index is None else observed[index]
        for index, item in enumerate(observed):
            if index not in indexes:
                yield None, item

    def insert_into(self, root: Element, item: Spec, declared: Spec) -> Element:
        """Add a declared item that the XML lacks, and return its new element."""
        if self.insert is not None:
            return self.insert(root, item, declared)
        element = self.build(item)
        child_at(root, self.parent).append(element)
        return element

    def removal(self, item: Spec, managed: frozenset[str], *, listed: bool) -> str | None:
        """The pointer of an undeclared observed item that has to go; None for one that stays.

        `listed` tells that the spec declares this list at all, be it empty.
        """
        prefix = f"/{self.name}/"
        labels = frozenset(pointer.removeprefix(prefix) for pointer in managed if pointer.startswith(prefix))
        label: str | None = self.label(item)
        if self.complete and listed:
            return f"{prefix}{label}"
        if self.known_as is not None:
            label = self.known_as(item, labels) if labels else None
        elif label not in labels:
            label = None
        return None if label is None else f"{prefix}{label}"


Bind = Field | Items


def value_at(spec: Spec, name: str) -> Any:
    """The value at a `/`-joined name; None when any part of the way is absent."""
    if "/" not in name:  # nearly all are
        return spec.get(name)
    value: Any = spec
    for key in name.split("/"):
        if not isinstance(value, Mapping) or key not in value:
            return None
        value = value[key]
    return value


def put_at(spec: NewSpec, name: str, value: Any) -> None:
    """Set the value at a `/`-joined name; the mappings on the way are made."""
    if "/" not in name:
        spec[name] = value
        return
    *way, last = name.split("/")
    for key in way:
        spec = spec.setdefault(key, {})
    spec[last] = value


_READINGS: dict[int, tuple[Iterable[Bind], Reading]] = {}  # by the identity of a tuple, which is kept beside it


def read(binds: Iterable[Bind], root: Element) -> Any:
    """The observed spec: what the XML says, in the shape of the lowered ones of whichever kind the binds are."""
    spec: NewSpec = {}
    for name, value in _reading(binds).of(root):
        put_at(spec, name, value)
    return spec


def _reading(binds: Iterable[Bind]) -> Reading:
    known = _READINGS.get(id(binds))
    if known is not None:
        return known[1]
    reading = Reading()
    for bind in binds:
        bind.be_read(reading)
    if isinstance(binds, tuple):
        _READINGS[id(binds)] = (binds, reading)
    return reading


def effect_of(effect: EffectOf, old: Any, new: Any) -> Effect:
    """What is fixed, or decided from (old, new)."""
    return effect if isinstance(effect, Effect) else effect(old, new)


def write(binds: Sequence[Bind], root: Element, declared: Spec, managed: frozenset[str] = frozenset()) -> Element:
    """Change `root` in place until `differences` finds nothing; whatever already agrees is left as it stands.

    That with what a document says in XML of its own, see `specs/overlay`; where it says nothing so, this costs nothing.
    """
    if declared.get("xml") or any(pointer.startswith("/xml/") for pointer in managed):
        from specs.overlay.writing import write_with

        write_with(root, declared.get("xml"), managed, lambda: _write(binds, root, declared, managed))
    else:
        _write(binds, root, declared, managed)
    return root


def _write(binds: Sequence[Bind], root: Element, declared: Spec, managed: frozenset[str]) -> None:
    for bind in binds:
        wanted = value_at(declared, bind.name)
        if isinstance(bind, Field):
            if wanted is not None and not bind.equal(wanted, bind.read(root)):
                bind.write(root, wanted)
            continue
        if wanted is not None or any(pointer.startswith(f"/{bind.name}/") for pointer in managed):
            _write_items(bind, root, wanted, managed, declared)
    for settle in dict.fromkeys(bind.settle for bind in binds if isinstance(bind, Items) and bind.settle):
        settle(root, declared, binds)


def _write_items(
    bind: Items, root: Element, wanted: Sequence[Spec] | None, managed: frozenset[str], declared: Spec
) -> None:
    elements = list(bind.elements(root))
    observed = bind.read(root)
    indexes = bind.matches(wanted or [], observed)
    # Room first: what goes may hold a name (a target device, an address) that what comes takes.
    for index, item in enumerate(observed):
        gone = index not in indexes and bind.removal(item, managed, listed=wanted is not None) is not None
        if gone and (holder := elements[index].getparent()) is not None:
            holder.remove(elements[index])
    for entry, match in zip(wanted or [], indexes, strict=True):
        if match is None:
            bind.insert_into(root, entry, declared)
        else:
            write_item(bind, elements[match], entry)


def write_item(bind: Items, element: Element, item: Spec) -> None:
    """Make one item's element say what is declared; what already agrees is left as it stands."""
    for field in bind.fields:
        value = value_at(item, field.name)
        if value is None or field.equal(value, field.read(element)):
            continue
        if field.is_comparable(item, read(bind.fields, element)):
            field.write(element, value)


def patched(binds: Sequence[Bind], root: Element, declared: Spec, managed: frozenset[str] = frozenset()) -> Element:
    """A changed copy of `root`; the original, which a snapshot holds, stays as it is."""
    return write(binds, copy.deepcopy(root), declared, managed)
