"""One declared bind per field: it reads the field from XML, writes it into XML, compares it and names its effect.

A kind lists its binds once in its `xml.py`; defining, observing, diffing and patching all come from that list.
Only what the author declared is compared (an omitted field is unmanaged) and only what differs is written, so that
XML that onggi doesn't know passes through untouched.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

from specs.codecs import TEXT, Codec
from specs.effect import Change, Effect

Element = etree._Element
Spec = Mapping[str, Any]
EffectOf = Effect | Callable[[Any, Any], Effect]  # fixed, or decided from (old, new)

# Entities and network access are off: XML that reaches us from outside must not be able to read files.
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=True, huge_tree=False)


def parse(xml: str) -> Element:
    """Parse one XML document safely. Raises lxml.etree.XMLSyntaxError."""
    return etree.fromstring(xml.encode(), _PARSER)


def serialise(root: Element) -> str:
    """The XML text that is handed to libvirt."""
    return etree.tostring(root, pretty_print=True, encoding="unicode")


def child_at(parent: Element, path: str) -> Element:
    """The element at a plain path (`os/loader`) below `parent`; what is missing on the way is created."""
    for tag in filter(None, path.split("/")):
        found = parent.find(tag)
        parent = etree.SubElement(parent, tag) if found is None else found
    return parent


def text_at(parent: Element, path: str) -> str | None:
    """The text at `a/b` or the attribute at `a/b/@c`; None when it isn't there."""
    where, _, attribute = path.rpartition("@")
    element = parent if not (where or not attribute) else parent.find((where if attribute else path).rstrip("/") or ".")
    if element is None:
        return None
    return element.get(attribute) if attribute else (element.text or "")


def set_text_at(parent: Element, path: str, text: str | None) -> None:
    """Write the text at `a/b` or the attribute at `a/b/@c`; None removes it and leaves its surroundings."""
    where, _, attribute = path.rpartition("@")
    if attribute:
        if text is None:
            holder = parent.find(where.rstrip("/") or ".")
            if holder is not None and attribute in holder.attrib:
                del holder.attrib[attribute]
        else:
            child_at(parent, where.rstrip("/")).set(attribute, text)
        return
    if text is None:
        gone = parent.find(path)
        if gone is not None and (holder := gone.getparent()) is not None:
            holder.remove(gone)
        return
    child_at(parent, path).text = text


@dataclass(frozen=True, slots=True)
class Field:
    """A single value. `name` is its place in the spec (`/`-joined when nested: `dhcp/start`), `path` its place in the XML.

    `get` and `put` stand in for `path` where the XML needs more than one element; `same(declared, observed)` where
    equality isn't `==`; `missing` is what an absent element means (libvirt's documented default), None: unknown.
    """

    name: str
    path: str = ""
    codec: Codec = TEXT
    effect: EffectOf = Effect.LIVE
    get: Callable[[Element], Any] | None = None
    put: Callable[[Element, Any], None] | None = None
    same: Callable[[Any, Any], bool] | None = None
    missing: Any = None

    def read(self, element: Element) -> Any:
        """The observed value, or `missing`."""
        if self.get is not None:
            value = self.get(element)
        else:
            text = text_at(element, self.path)
            value = None if text is None else self.codec.decode(text)
        return self.missing if value is None else value

    def write(self, element: Element, value: Any) -> None:
        """Make the XML say `value`; None removes it."""
        if self.put is not None:
            self.put(element, value)
        else:
            set_text_at(element, self.path, None if value is None else self.codec.encode(value))

    def equal(self, declared: Any, observed: Any) -> bool:
        """True when what is observed is what was meant."""
        return self.same(declared, observed) if self.same is not None else bool(declared == observed)


@dataclass(frozen=True, slots=True)
class Items:
    """A list of things in the XML (disks, interfaces, hosts). Items are paired by `identity`, never by position.

    `elements(root)` finds them, `build(item)` makes a new element for `parent`, `label(item)` names one in pointers.
    With `complete` an undeclared item is a removal; without it, only one that `managed` names is (see `differences`).
    """

    name: str
    elements: Callable[[Element], Iterable[Element]]
    parent: str
    fields: tuple[Field, ...]
    identity: Callable[[Spec], Hashable]
    label: Callable[[Spec], str]
    build: Callable[[Spec], Element]
    add_effect: EffectOf = Effect.LIVE
    remove_effect: EffectOf = Effect.LIVE
    complete: bool = False

    def read(self, root: Element) -> list[dict[str, Any]]:
        """Every item that the XML has, in document order."""
        return [read(self.fields, element) for element in self.elements(root)]

    def pairs(self, declared: Sequence[Spec], observed: Sequence[Spec]) -> Iterator[tuple[Spec | None, Spec | None]]:
        """(declared, observed) for what both have, (declared, None) for what is missing, (None, observed) for extras."""
        left = {self.identity(item): item for item in observed}
        for item in declared:
            yield item, left.pop(self.identity(item), None)
        for item in left.values():
            yield None, item


Bind = Field | Items


def value_at(spec: Spec, name: str) -> Any:
    """The value at a `/`-joined name; None when any part of the way is absent."""
    value: Any = spec
    for key in name.split("/"):
        if not isinstance(value, Mapping) or key not in value:
            return None
        value = value[key]
    return value


def _put_at(spec: dict[str, Any], name: str, value: Any) -> None:
    *way, last = name.split("/")
    for key in way:
        spec = spec.setdefault(key, {})
    spec[last] = value


def read(binds: Iterable[Bind], root: Element) -> dict[str, Any]:
    """The observed spec: what the XML says, in the shape in which it would be declared."""
    spec: dict[str, Any] = {}
    for bind in binds:
        value = bind.read(root)
        if value is not None:
            _put_at(spec, bind.name, value)
    return spec


def differences(
    binds: Iterable[Bind], declared: Spec, observed: Spec, managed: frozenset[str] = frozenset()
) -> tuple[list[Change], list[str]]:
    """What differs between a declared (lowered) spec and an observed one, and the pointers of undeclared extras.

    `managed` holds the pointers (`/disks/default/web-root.qcow2`, built with the bind's label) of list items that an
    earlier revision declared: when such an item is no longer declared it is a removal, not an extra.
    """
    changes: list[Change] = []
    extras: list[str] = []
    for bind in binds:
        wanted = value_at(declared, bind.name)
        if isinstance(bind, Field):
            if wanted is None:
                continue
            found = value_at(observed, bind.name)
            if not bind.equal(wanted, found):
                changes.append(Change(f"/{bind.name}", found, wanted, _effect(bind.effect, found, wanted)))
            continue
        found_items = value_at(observed, bind.name) or []
        if wanted is None and not any(pointer.startswith(f"/{bind.name}/") for pointer in managed):
            continue
        for item, present in bind.pairs(wanted or [], found_items):
            if item is not None:
                changes.extend(_item_changes(bind, item, present))
            elif present is not None:
                pointer = f"/{bind.name}/{bind.label(present)}"
                if (bind.complete and wanted is not None) or pointer in managed:
                    changes.append(Change(pointer, present, None, _effect(bind.remove_effect, present, None)))
                else:
                    extras.append(pointer)
    return changes, extras


def _item_changes(bind: Items, item: Spec, present: Spec | None) -> Iterator[Change]:
    pointer = f"/{bind.name}/{bind.label(item)}"
    if present is None:
        yield Change(pointer, None, item, _effect(bind.add_effect, None, item))
        return
    for field in bind.fields:
        wanted, found = value_at(item, field.name), value_at(present, field.name)
        if wanted is not None and not field.equal(wanted, found):
            yield Change(f"{pointer}/{field.name}", found, wanted, _effect(field.effect, found, wanted))


def _effect(effect: EffectOf, old: Any, new: Any) -> Effect:
    return effect if isinstance(effect, Effect) else effect(old, new)


def write(
    binds: Iterable[Bind], root: Element, declared: Spec, managed: frozenset[str] = frozenset()
) -> Element:
    """Change `root` in place until `differences` finds nothing; whatever already agrees is left as it stands."""
    for bind in binds:
        wanted = value_at(declared, bind.name)
        if isinstance(bind, Field):
            if wanted is not None and not bind.equal(wanted, bind.read(root)):
                bind.write(root, wanted)
            continue
        if wanted is not None or any(pointer.startswith(f"/{bind.name}/") for pointer in managed):
            _write_items(bind, root, wanted, managed)
    return root


def _write_items(bind: Items, root: Element, wanted: Sequence[Spec] | None, managed: frozenset[str]) -> None:
    present = {bind.identity(item): element for element in bind.elements(root) for item in [read(bind.fields, element)]}
    for item in wanted or []:
        element = present.pop(bind.identity(item), None)
        if element is None:
            child_at(root, bind.parent).append(bind.build(item))
            continue
        for field in bind.fields:
            value = value_at(item, field.name)
            if value is not None and not field.equal(value, field.read(element)):
                field.write(element, value)
    for element in present.values():
        pointer = f"/{bind.name}/{bind.label(read(bind.fields, element))}"
        if ((bind.complete and wanted is not None) or pointer in managed) and (holder := element.getparent()) is not None:
            holder.remove(element)


def patched(
    binds: Iterable[Bind], root: Element, declared: Spec, managed: frozenset[str] = frozenset()
) -> Element:
    """A changed copy of `root`; the original, which a snapshot holds, stays as it is."""
    return write(binds, copy.deepcopy(root), declared, managed)
