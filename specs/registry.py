"""The kinds, found by scanning the folders beside this file. There is no central list: a folder with a KIND is a kind.

Others may bring kinds, which make nothing on the host; they are asked for when a document has an unknown one.

A kind's folder holds `schema.json` (what may be written), `model.py` (its shape and rules), `among.py` (what several of
its documents may not have in common, if there is such a thing), `xml.py` (its binds; imported only when XML is really
needed, because lxml takes time to load) and `example.yaml`.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from specs.among import Clash, Placed, nothing
from specs.plain import NewJson, NewSpec, Spec
from specs.reference import Ref, holder_of

if TYPE_CHECKING:
    from specs.binding import Bind, Element
    from specs.declared import Declared
    from specs.host import Host


class FieldsModule(Protocol):
    """What a kind's `fields.py` offers: the declarations of its spec, and a sentence about the kind."""

    SPEC: Declared
    ABOUT: str


class XmlModule(Protocol):
    """What a kind's `xml.py` offers. `lower` turns a declared spec into the concrete one that the binds compare."""

    BINDS: tuple[Bind, ...]

    def lower(self, declared: Spec, *, name: str, uid: str, host: Host) -> NewSpec:
        """Concrete spec: sizes as numbers, volumes as paths, MACs derived. Adds no default for an omitted field."""

    def skeleton(self, lowered: Spec, *, name: str, uid: str, host: Host) -> Element:
        """A new object's XML with onggi's defaults for what is omitted; the binds then write the declared fields."""


@dataclass(frozen=True)
class Kind:
    """One kind of document. `references` gives what it needs; `check` yields (pointer, sentence) for each broken rule
    that a JSON schema can't express. `check_among` is given all documents of the kind with their specs, and every
    reference that is declared somewhere, and yields (document, pointer, sentence).
    """

    name: str
    plural: str
    aliases: tuple[str, ...]
    package: str
    references: Callable[[str, Any], Iterable[Ref]]
    check: Callable[[str, Any], Iterable[tuple[str, str]]]
    has_xml: bool = True
    has_guest: bool = False  # which boots: what waits for its next start waits for its next boot
    holds_data: bool = False  # which is nobody's to throw away
    is_defined: bool = True  # by a definition that libvirt keeps; else it is simply there, like a file
    noun: str = ""  # as people say it in the midst of a sentence
    documents: str = ""  # the folder for new ones of it; see `directory`
    # Fields of it that are another kind's, such as the size of a disk that is made.
    borrowed: Mapping[str, tuple[str, str]] = field(default_factory=dict, hash=False)
    check_among: Callable[[Sequence[tuple[Placed, Any]], Collection[Ref]], Iterable[Clash]] = nothing

    @property
    def directory(self) -> str:
        """The folder into which new documents of it are written, below the root."""
        return self.documents or f"{self.noun or self.name.lower()}s"

    @property
    def next_start(self) -> str:
        """When a change comes true that waits for one."""
        return "next boot" if self.has_guest else "next start"

    @property
    def folder(self) -> Path:
        """The kind's own folder."""
        return Path(importlib.import_module(self.package).__path__[0])

    @property
    def declarations(self) -> FieldsModule:
        """What documents of this kind may say, declared field by field: the kind's `fields` module."""
        return cast("FieldsModule", importlib.import_module(f"{self.package}.fields"))

    @cached_property
    def schema(self) -> NewJson:
        """The JSON Schema (2020-12) of a whole document of this kind."""
        return cast(NewJson, json.loads((self.folder / "schema.json").read_text(encoding="utf-8")))

    @cached_property
    def example(self) -> str:
        """The commented example document."""
        return (self.folder / "example.yaml").read_text(encoding="utf-8")

    @cached_property
    def xml(self) -> XmlModule:
        """The XML side, imported at first use."""
        return cast("XmlModule", importlib.import_module(f"{self.package}.xml"))

    def ref(self, name: str, spec: Spec) -> Ref:
        """The reference of a document of this kind, with the name of what it lies in where that belongs to it."""
        within = holder_of(self.name)
        return Ref(self.name, f"{spec.get(within)}/{name}" if within else name)


D = TypeVar("D")  # a kind's spec as documents say it
L = TypeVar("L")  # the same lowered


@dataclass(frozen=True)
class TypedKind(Kind, Generic[D, L]):
    """A kind of ours, whose specs have types: what a document says, and what lowering makes of it or is observed.

    `declared` and `lowered` are the way to them from a spec of any kind: who calls them knows that it is of this one.
    """

    references: Callable[[str, D], Iterable[Ref]]
    check: Callable[[str, D], Iterable[tuple[str, str]]]
    check_among: Callable[[Sequence[tuple[Placed, D]], Collection[Ref]], Iterable[Clash]] = nothing

    def declared(self, spec: Spec) -> D:
        """A spec of this kind, as documents say it."""
        return cast("D", spec)

    def lowered(self, spec: Spec) -> L:
        """A lowered or observed spec of this kind."""
        return cast("L", spec)


_added: dict[str, Kind] = {}
_finders: list[Callable[[], Iterable[Kind]]] = []


@cache
def kinds() -> Mapping[str, Kind]:
    """Every kind that is known so far by name, in alphabetical order."""
    return dict(sorted({**own_kinds(), **_added}.items()))


def register(more: Iterable[Kind]) -> None:
    """Add kinds that others bring. Raises ValueError for the name of another one, and for what has XML."""
    for kind in more:
        if kinds().get(kind.name, kind) is not kind:
            raise ValueError(f"The kind {kind.name} is there already.")
        if kind.has_xml:
            raise ValueError(f"The kind {kind.name} has XML, and nobody would know what to do with it.")
        _added[kind.name] = kind
        kinds.cache_clear()


def look_further(find: Callable[[], Iterable[Kind]]) -> None:
    """Have `find` asked for more kinds the first time that one is wanted which isn't known."""
    _finders.append(find)


def kind_named(name: str) -> Kind | None:
    """The kind of exactly this name, wherever it comes from."""
    if name not in kinds():
        _look()
    return kinds().get(name)


def described(name: str) -> Kind:
    """The kind of this name; of one that nobody knows (by now), what is so of most."""
    return kinds().get(name) or Kind(name, f"{name.lower()}s", (), "", lambda *_: (), lambda *_: (), has_xml=False)


def _look() -> None:
    while _finders:
        register(_finders.pop()())


@cache
def own_kinds() -> Mapping[str, Kind]:
    """Those that onggi has itself."""
    found: dict[str, Kind] = {}
    for module in pkgutil.iter_modules(importlib.import_module("specs").__path__):
        if module.ispkg:
            kind = getattr(importlib.import_module(f"specs.{module.name}"), "KIND", None)
            if isinstance(kind, Kind):
                found[kind.name] = kind
    return dict(sorted(found.items()))


def find_kind(word: str) -> Kind | None:
    """One by name, plural or alias, in any case, such as `VirtualMachine`, `virtualmachines`, `vm`, or a plugin's."""
    found = _called(word.lower())
    if found is None:
        _look()
        found = _called(word.lower())
    return found


def _called(wanted: str) -> Kind | None:
    for kind in kinds().values():
        if wanted in (kind.name.lower(), kind.plural.lower(), *kind.aliases):
            return kind
    return None
