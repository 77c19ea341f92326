"""Binds from declarations: a field whose place in the XML is a path needs no code to be read, written and compared,
and one that has code says there only what its declaration doesn't. A list of elements at a place needs none either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from specs.binding import (
    Bind,
    Element,
    Field,
    Items,
    child_at,
    put_at,
    read,
    set_text_at,
    split_path,
    value_at,
    write_item,
)
from specs.bound import never_beside
from specs.carried import NTH, numbered
from specs.codecs import (
    INTEGER,
    NOTATIONS,
    PRESENT,
    SEVERAL_SPELLINGS,
    TEXT,
    YES_NO,
    Codec,
    bytes_of,
    says_unit,
    size_text,
    unit_of,
)
from specs.declared import Declared, declared_at, place, placed
from specs.element_codes import code_of
from specs.elements import elements_at
from specs.plain import NewSpec, Spec
from specs.reading import Listed

_CODECS = {"boolean": YES_NO, "integer": INTEGER}


def binder(spec: Declared) -> Callable[..., Field]:
    """A maker of binds for the fields of a declared mapping, or of a list's items: `bind(name, path, **how)`.

    The path, the codec, the effect and what an absent element means are as declared where `how`, in the words of
    `Field`, doesn't say otherwise.
    """

    def bind(name: str, path: str = "", **how: Any) -> Field:
        return _field(name, declared_at(spec, name), path, how)

    return bind


def complete(spec: Declared, binds: Iterable[Bind] = ()) -> tuple[Bind, ...]:
    """These binds behind those of the other declared fields for which a path says it all."""
    given = tuple(binds)
    known = {bind.name for bind in given}
    return (*(_bound(name, field) for name, field in placed(spec) if name not in known), *given)


def completed(item: Declared, fields: Iterable[Field] = ()) -> tuple[Field, ...]:
    """The same for the items of a list: these binds behind those of the item's other fields at a path."""
    given = tuple(fields)
    known = {field.name for field in given}
    return (*(_inner(name, field) for name, field in placed(item) if name not in known), *given)


def bound(spec: Declared, name: str, **how: Any) -> Bind:
    """The bind of a declared field for which a path says it all, but for what `how` says, in the words of its class."""
    return replace(_bound(name, declared_at(spec, name)), **how)


def sayable(spec: Declared, observed: Spec) -> NewSpec:
    """Of what a definition says at paths whatever a document has to say of it: not what is a default anyway."""
    said: NewSpec = {}
    for name, field in placed(spec):
        value = value_at(observed, name)
        if value not in (None, field.absent, field.keywords.get("default")):
            put_at(said, name, _said(field, value))
    return said


def _said(field: Declared, value: Any) -> Any:
    """A value as a document writes it."""
    whole = field.base or field
    if whole.item is not None and whole.item.fields:
        return [sayable(whole.item, each) for each in value]
    if whole.keywords.get("x-unit") and isinstance(value, int):
        return size_text(value)
    return value


def _bound(name: str, field: Declared) -> Bind:
    whole = field.base or field
    if whole.item is not None and whole.item.fields:
        return _items(name, field)
    return _inner(name, field)


def _inner(name: str, field: Declared) -> Field:
    """A field that nobody has written code for: what the definition doesn't say, its spec doesn't say either."""
    whole = field.base or field
    if whole.item is None:
        return replace(_field(name, field, "", {}), unsaid=True)
    return _list(name, field, _items(name, field) if whole.item.fields else None)


def _field(name: str, declared: Declared, path: str, how: dict[str, Any]) -> Field:
    where = path or place(declared)
    said: NewSpec = {"missing": declared.absent, **_notation(declared, where)}
    if declared.takes_along:
        said["bound"] = (never_beside(*declared.takes_along),)
    if "effect_in" not in how:
        said["effect"] = how.get("effect") or declared.effect
    return Field(name, where, **said | how)


def _notation(declared: Declared, path: str) -> NewSpec:
    """How the value is written in XML, in the words of `Field`."""
    whole = {**(declared.base.keywords if declared.base else {}), **declared.keywords}
    notation = declared.codec or (declared.base.codec if declared.base else "")
    if notation == PRESENT:
        return _presence(path)
    if notation.startswith("<"):
        return _by_code(path, notation)
    if notation in NOTATIONS:
        codec = NOTATIONS[notation]
        return {"codec": codec, **({"same": _same_as_written(codec)} if notation in SEVERAL_SPELLINGS else {})}
    if notation:
        return _size(path, notation)
    return {"codec": _CODECS.get(str(whole.get("type", "")), TEXT)}


def _same_as_written(codec: Codec) -> Callable[[Any, Any], bool]:
    return lambda declared, observed: bool(codec.decode(codec.encode(declared)) == observed)


def _by_code(path: str, notation: str) -> NewSpec:
    """An element that more is to be said of than a text, see `element_codes`: code that comes with the first use."""
    way, _, _ = path.rpartition("/")

    def said(element: Element) -> Any:
        return code_of(notation).read(element)

    def found(root: Element) -> Any:
        element = root.find(path)
        return None if element is None else said(element)

    def put(root: Element, wanted: Any) -> None:
        code_of(notation).write(child_at(root, way), wanted)

    def same(declared: Any, observed: Any) -> bool:
        return code_of(notation).same(declared, observed)

    return {"get": found, "put": put, "of": said, "same": same}


def _presence(path: str) -> NewSpec:
    """An element that is there or isn't."""

    def said(element: Element) -> bool:
        return element.get("state") != "off"

    def found(root: Element) -> bool | None:
        element = root.find(path)
        return None if element is None else said(element)

    def put(root: Element, wanted: bool) -> None:
        element = root.find(path)
        if wanted:
            element = child_at(root, path)
            if element.get("state") is not None:
                element.set("state", "on")
        elif element is not None and (holder := element.getparent()) is not None:
            holder.remove(element)

    return {"get": found, "put": put, "of": said}


def _size(path: str, notation: str) -> NewSpec:
    """A number of a unit, which an attribute beside it may name."""
    where, attribute = split_path(path)
    unit, step = unit_of(notation), bytes_of(1, unit_of(notation)) or 1

    def said(element: Element) -> int | None:
        text = element.get(attribute) if attribute else element.text
        return None if text is None else bytes_of(text, element.get("unit") or unit)

    def found(root: Element) -> int | None:
        element = root if where == "." else root.find(where)
        return None if element is None else said(element)

    def put(root: Element, count: int) -> None:
        set_text_at(root, path, str(count // step))
        if says_unit(notation):
            (root if where == "." else child_at(root, where)).set("unit", unit)

    return {"get": found, "put": put, "of": said}


def _items(name: str, declared: Declared) -> Items:
    """The bind of a list of elements, each of which is a mapping."""
    item = (declared.base or declared).item
    if item is None:
        raise TypeError(f"{name} is no list")
    where, fields, identity = elements_at(place(declared)), completed(item), declared.identity

    def label(each: Spec) -> str:
        known = ",".join(str(each.get(part, "")) for part in identity)
        return "#".join(filter(None, (known, str(each.get(NTH, "" if known else 1)))))

    def build(each: Spec) -> Element:
        made = where.made()
        _write(fields, made, each)
        return made  # type: ignore[no-any-return]  # lxml's stubs know no element of another module

    found = Items(
        name,
        elements=where.of,
        parent=where.way,
        fields=fields,
        identity=label,
        label=label,
        build=build,
        add_effect=declared.effect,
        remove_effect=declared.removal or declared.effect,
    )
    return replace(found, listed=Listed(where, _reader(fields), lambda items: numbered(identity, items)))


def _reader(fields: tuple[Field, ...]) -> Callable[[Element], NewSpec]:
    return lambda element: read(fields, element)


def _write(fields: Iterable[Field], element: Element, item: Spec) -> None:
    for field in fields:
        value = value_at(item, field.name)
        if value is not None and not field.equal(value, field.read(element)):
            field.write(element, value)


def _list(name: str, declared: Declared, items: Items | None) -> Field:
    """A list as one value: of texts, or of what an item of another list has several of. It is whole: an element that it
    doesn't have goes.
    """
    if items is not None:
        return _list_of_items(name, declared, items)
    item = (declared.base or declared).item or declared
    path, attribute = split_path(place(declared))
    where = elements_at(path)
    codec: Codec = {"codec": TEXT, **_notation(item, "")}["codec"]

    def said(element: Element) -> Any:
        text = element.get(attribute) if attribute else element.text or ""
        return None if text is None else codec.decode(text)

    def found(root: Element) -> list[Any] | None:
        return [said(each) for each in where.of(root)] or None

    def put(root: Element, wanted: list[Any]) -> None:
        _remove(where.of(root))
        for each in wanted:
            made = where.made()
            child_at(root, where.way).append(made)
            if attribute:
                made.set(attribute, codec.encode(each))
            else:
                made.text = codec.encode(each)

    return Field(
        name,
        effect=declared.effect,
        get=found,
        put=put,
        same=lambda declared, observed: list(declared) == list(observed or ()),
        missing=declared.absent,
        listed=Listed(where, said),
        unsaid=True,
    )


def _list_of_items(name: str, declared: Declared, items: Items) -> Field:
    def put(root: Element, wanted: list[Spec]) -> None:
        elements = list(items.elements(root))
        indexes = items.matches(wanted, items.read(root))
        _remove(each for index, each in enumerate(elements) if index not in indexes)
        for item, index in zip(wanted, indexes, strict=True):
            if index is None:
                child_at(root, items.parent).append(items.build(item))
            else:
                write_item(items, elements[index], item)

    return Field(
        name,
        effect=declared.effect,
        get=lambda root: items.read(root) or None,
        put=put,
        same=lambda wanted, found: _same_items(items, wanted, found or ()),
        missing=declared.absent,
        listed=items.listed,
        unsaid=True,
    )


def _same_items(items: Items, wanted: Any, found: Any) -> bool:
    """Whether both have the same items, and each says what is wanted of it."""
    pairs = list(items.pairs(wanted, found))
    return all(one is not None and other is not None and _says(items.fields, one, other) for one, other in pairs)


def _says(fields: Iterable[Field], wanted: Mapping[str, Any], found: Spec) -> bool:
    values = ((field, value_at(wanted, field.name)) for field in fields)
    return all(value is None or field.equal(value, field.found_in(found)) for field, value in values)


def _remove(elements: Iterable[Any]) -> None:
    for each in list(elements):
        if (holder := each.getparent()) is not None:
            holder.remove(each)
