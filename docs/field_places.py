"""Which place in a definition each declared field has: by its declaration, its bind, or what its kind says of code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from specs.binding import Field, Items, split_path
from specs.declared import Declared, place
from specs.grammar import Grammar
from specs.registry import Kind

_CONDITIONS = re.compile(r"\[[^\]]*\]")


def field_places(kind: Kind, grammar: Grammar) -> dict[str, str]:
    """Field by place, below the root element, for the fields of a kind that aren't by code."""
    found: dict[str, str] = {}
    for where, name in (*_declared(kind.declarations.SPEC, "", ""), *_bound(kind, grammar)):
        found.setdefault(_CONDITIONS.sub("", where).replace("./", "").removesuffix("/."), name)
    return found


def _declared(spec: Declared, name: str, where: str) -> Iterator[tuple[str, str]]:
    whole = spec.base or spec
    for key, each in (whole.item or whole).fields.items():
        called = f"{name}.{key}".lstrip(".")
        inner = each.base or each
        at = place(each)
        path = f"{where}/{at}".strip("/") if at else where
        if at or each.at == "":
            if at:
                yield path, called
                if each.codec.endswith("@unit"):
                    yield f"{split_path(path)[0].removeprefix('.')}/@unit".lstrip("/"), called
            if inner.fields or (inner.item is not None and inner.item.fields and at):
                yield from _declared(each, called, path)


def _bound(kind: Kind, grammar: Grammar) -> Iterator[tuple[str, str]]:
    for bind in kind.xml.BINDS:
        if isinstance(bind, Field):
            if bind.path:
                yield bind.path, bind.name.replace("/", ".")
        elif bind.name in grammar.lists:
            for where in grammar.lists[bind.name].split():
                yield from _of_items(bind, where)


def _of_items(bind: Items, where: str) -> Iterator[tuple[str, str]]:
    yield where, bind.name
    declared = {each.name: each for each in bind.fields}
    for name, each in declared.items():
        called = f"{bind.name}.{name.replace('/', '.')}"
        if each.path:
            yield f"{where}/{each.path}", called
        elif each.listed is not None:
            elements = each.listed.elements
            yield "/".join(filter(None, (where, elements.way, elements.tag))), called
