"""How siblings of one tag are told apart in libvirt's XML: each kind has a table of that, in its `identity.py`.

A table goes by the path of tags from the definition's root, such as `devices/disk`. `devices/*` stands for whatever
else is in `devices`, and `**/alias` for a tag wherever it is. What no entry is about is the only one of its tag.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final
from urllib.parse import quote

from lxml import etree

Key = tuple[str, ...]  # paths below an element whose values together tell it apart: `target/@dev`


@dataclass(frozen=True, slots=True)
class Siblings:
    """Of one tag below one parent.

    `keys` are tried in their order: the first of which a fragment's element has all is how it is found again. `whole`
    has paths (`@type`, `@type=sdl`) of which a fragment's element says at least one if it describes the thing, and
    doesn't only add to one that is there; with none of them every such element describes a thing, with None no element
    does. What is `listed` has no key: one is as good as another that says the same. What is `ordered` is one list.
    """

    keys: tuple[Key, ...] = ()
    whole: tuple[str, ...] | None = None
    listed: bool = False
    ordered: bool = False


OWN_ALIAS: Final = "ua-"  # how the alias of a device begins that its document gave it; libvirt makes up the others
ALIAS: Key = ("alias/@name",)  # of a device: beside every other key, where its document gave it one
ONLY = Siblings()
LISTED = Siblings(listed=True)
ORDERED = Siblings(ordered=True)


def named(*keys: str | Key) -> Siblings:
    """Things of their own, told apart by these keys."""
    return Siblings(tuple((key,) if isinstance(key, str) else key for key in keys), ())


def added_to(*keys: str | Key, whole: tuple[str, ...] | None = None) -> Siblings:
    """The same where an element may also only add something to a thing that is there."""
    return Siblings(named(*keys).keys, whole)


def reaches(area: str, *harmless: str) -> tuple[str, frozenset[str]]:
    """A place that reaches into an area, but with these values."""
    return area, frozenset(harmless)


@dataclass(frozen=True)
class Table:
    """Of one kind: `root` is the tag of its definitions, `never` are elements below it that no fragment may have."""

    kind: str
    root: str
    siblings: Mapping[str, Siblings]
    namespaces: Mapping[str, str] = field(default_factory=dict)  # prefix → URI, of what libvirt itself knows
    never: Mapping[str, str] = field(default_factory=dict)  # path → why, with the remedy
    varies: tuple[str, ...] = ()  # what a running object has of its own: not compared with it
    at_birth: tuple[
        str, ...
    ] = ()  # with all that is in them: libvirt heeds them when it makes the thing, and never again
    # See `reaching`: places that are harmless with all that is in them; those that are not, with their area and what is
    # harmless there; and those that libvirt doesn't read.
    harmless: tuple[str, ...] = ()
    reaching: Mapping[str, tuple[str, frozenset[str]]] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    # What a running object can be told: things that come and go, each where its element is as is asked, and statements
    # (with all that is below them) that change.
    plugged: Mapping[str, Callable[[etree._Element], bool]] = field(default_factory=dict)
    updated: tuple[str, ...] = ()
    resting: tuple[str, ...] = ()  # of those things the ones that aren't pulled: data is in use in them

    def at(self, path: str) -> Siblings:
        """How elements at a path of tags are told apart."""
        found = self.siblings.get(path)
        if found is None:
            above, _, tag = path.rpartition("/")
            found = self.siblings.get(f"{above}/*") or self.siblings.get(f"**/{tag}")
        return found or ONLY

    def tag(self, name: str) -> str:
        """An element's name with the prefix of libvirt's own namespaces, whatever its document calls them."""
        if not name.startswith("{"):
            return name
        uri, _, local = name[1:].partition("}")
        prefix = next((prefix for prefix, known in self.namespaces.items() if known == uri), "")
        return f"{prefix}:{local}" if prefix else f"{{{quote(uri, safe=':.-_#?=&')}}}{local}"


@cache
def tables() -> Mapping[str, Table]:
    """The table of each kind that can have a fragment, by the tag of its definitions."""
    return {table.root: table for table, _ in _found()}


def table_of(kind: str) -> Table:
    """The table of a kind by its name. Raises LookupError for one without XML."""
    for table, _ in _found():
        if table.kind == kind:
            return table
    raise LookupError(f"{kind} has no XML.")


@cache
def binds_of(kind: str) -> tuple[Any, ...]:
    """A kind's binds."""
    package = next(package for table, package in _found() if table.kind == kind)
    return tuple(importlib.import_module(f"{package}.xml").BINDS)


@cache
def _found() -> tuple[tuple[Table, str], ...]:
    """Each table with the package of its kind, found as kinds are: by scanning the folders."""
    specs = importlib.import_module("specs")
    packages = [f"specs.{module.name}" for module in pkgutil.iter_modules(specs.__path__) if module.ispkg]
    return tuple(
        (importlib.import_module(f"{package}.identity").TABLE, package)
        for package in packages
        if importlib.util.find_spec(f"{package}.identity") is not None
    )
