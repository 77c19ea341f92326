"""A kind's specs as types for mypy: the text of its `spec.py`, made from the declared fields, so that a field that is
misspelt or taken for something else is found wherever it is read. See docs/adr/0044-a-spec-has-a-type.md.

`VirtualMachineSpec` is what a document says. `LoweredVirtualMachine` is what lowering makes of it, and the shape of
what is observed, of which any part may be missing: sizes are numbers, a word may be any (a host has more of them than
documents), and what is beside the definition isn't there.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from specs.declared import BESIDE, GONE, Declared
from specs.plain import Json

if TYPE_CHECKING:
    from specs.registry import Kind

_LONGEST = 120  # characters of a line
_PLAIN = {"string": "str", "integer": "int", "boolean": "bool", "null": "None"}
_BYTES = ("bytes", "KiB", "MiB", "GiB")  # units of what lowering makes a number of
_IMPORTS = (("collections.abc", ("Mapping", "Sequence")), ("typing", ("Literal", "Required", "TypedDict")))
_HEAD = '''\
"""A {kind}'s spec as types. Written by `make docs` from `fields.py`: what is changed here is lost."""

from __future__ import annotations

{imports}


{classes}'''


def typed_module(kind: Kind) -> str:
    """The text of a kind's `spec.py`."""
    spec = kind.declarations.SPEC
    classes: dict[str, str] = {}
    _Written(classes, f"{kind.name}Spec").mapping("", spec)
    if kind.has_xml:
        _Lowered(classes, f"Lowered{kind.name}").mapping("", spec)
    text = "\n\n".join(classes.values())
    used = {module: [name for name in names if re.search(rf"\b{name}\b", text)] for module, names in _IMPORTS}
    imports = "\n".join(f"from {module} import {', '.join(names)}" for module, names in used.items() if names)
    return _HEAD.format(kind=kind.name, imports=imports, classes=text)


class _Written:
    """The classes of specs as they are written, each behind those that it needs. `whole` is what the spec's is called,
    the others are called by their place in it.
    """

    prefix = ""

    def __init__(self, classes: dict[str, str], whole: str) -> None:
        self._classes, self._whole = classes, whole

    def mapping(self, place: str, value: Declared) -> str:
        """The class of a mapping, and its name."""
        required = self._required(value)
        lines = []
        for name, each in self._fields(value):
            of = self._type(place + name[0].upper() + name[1:], each)
            lines.append(_line(name, f"Required[{of}]" if name in required else of))
        return self._made(f"{self.prefix}{place}" if place else self._whole, value, "\n".join(lines) + "\n")

    def _type(self, place: str, value: Declared) -> str:
        whole = value.base or value
        if whole.item is not None:
            return f"Sequence[{self._type(place.removesuffix('s'), whole.item)}]"
        if whole.fields:
            return self.mapping(whole.shared[:1].upper() + whole.shared[1:] or place, whole)
        return self._single({**whole.keywords, **value.keywords})

    def _single(self, keywords: Json) -> str:
        if "enum" in keywords:
            return f"Literal[{', '.join(map(json.dumps, keywords['enum']))}]"
        kinds = keywords["type"]
        if kinds == "object":
            return f"Mapping[str, {self._single(keywords['additionalProperties'])}]"
        return " | ".join(_PLAIN[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds))

    def _fields(self, value: Declared) -> Iterator[tuple[str, Declared]]:
        yield from value.fields.items()

    def _required(self, value: Declared) -> frozenset[str]:
        return frozenset(value.keywords.get("required", ()))

    def _made(self, name: str, value: Declared, fields: str) -> str:
        about = textwrap.wrap(str(value.keywords["description"]).partition(". ")[0].rstrip(".") + ".", 104)
        words = "\n    ".join(about) + ("\n    " if len(about) > 1 else "")
        text = f'class {name}(TypedDict, total=False):\n    """{words}"""\n\n{fields}'
        if self._classes.setdefault(name, text) != text:
            raise ValueError(f"Two mappings would be called {name}; let them share one declaration.")
        return name


class _Lowered(_Written):
    """Those of lowered specs. What lowering leaves as it is has one class for both."""

    prefix = "Lowered"

    def _single(self, keywords: Json) -> str:
        if "enum" in keywords:
            return "str"
        return "int" if keywords.get("x-unit") in _BYTES else super()._single(keywords)

    def _fields(self, value: Declared) -> Iterator[tuple[str, Declared]]:
        every = {**value.fields, **(value.lowered.fields if value.lowered else {})}
        return ((name, each) for name, each in every.items() if each is not GONE and each.at != BESIDE)

    def _required(self, value: Declared) -> frozenset[str]:
        return super()._required(value) | (super()._required(value.lowered) if value.lowered else frozenset())

    def _made(self, name: str, value: Declared, fields: str) -> str:
        written = name.removeprefix(self.prefix)
        return (
            written if self._classes.get(written, "").endswith(f"\n\n{fields}") else super()._made(name, value, fields)
        )


def _line(name: str, of: str) -> str:
    line = f"    {name}: {of}"
    return line if len(line) <= _LONGEST else f"    {name}: {_laid_out(of, 8)}"


def _laid_out(of: str, indent: int) -> str:
    """A type that is too long for a line, as the formatter lays it out."""
    outer, _, inner = of.partition("[")
    inner = inner.removesuffix("]")
    margin = " " * indent
    if indent + len(inner) > _LONGEST and outer == "Literal":
        inner = f",\n{margin}".join(inner.split(", ")) + ","
    elif indent + len(inner) > _LONGEST:
        inner = _laid_out(inner, indent + 4)
    return f"{outer}[\n{margin}{inner}\n{margin[4:]}]"
