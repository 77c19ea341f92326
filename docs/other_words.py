"""The words of other tools that declare libvirt's objects, and where in a definition each of them stands.

Their names mirror libvirt's, so that a name finds its place in the grammar by itself. What differs is said by a table.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

from specs.grammar import fits

_ALTERNATIVES = re.compile(r"\{([^}]*)\}")


@dataclass(frozen=True, slots=True, eq=False)
class Tool:
    """One tool: its page's title and introduction, the kind of each of its resources, and what rules can't find.

    Patterns mean words with all that is around their names, such as `domain.devices.*.null`. `places` says where in
    the definition a word stands, from where the word around it does. `ours` is our field for a word, or that none is
    needed, where its place doesn't tell. `nowhere` is what libvirt's grammar, as it is known here, has no place for.
    `cases` are names of what XML tells by a type instead of an element, `texts` those of an element's own text.
    """

    name: str
    introduction: str
    kinds: Mapping[str, str]
    places: Mapping[str, str]
    ours: Mapping[str, str]
    nowhere: tuple[str, ...]
    cases: frozenset[str]
    texts: frozenset[str]


def words(data: Path) -> dict[str, bool]:
    """Every word of a list, in its order, and whether others are below it."""
    names: dict[str, list[str]] = {}
    for line in data.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            where, _, listed = line.partition(": ")
            for path in _alternatives(where):
                names.setdefault(path, []).extend(listed.split())
    found: dict[str, bool] = {}
    for root in dict.fromkeys(path.partition(".")[0] for path in names if not path.startswith("$")):
        found.update(_below(root, (root,), names))
    return found


def _alternatives(where: str) -> Iterator[str]:
    parts = _ALTERNATIVES.split(where)
    for chosen in product(*(part.split(",") if nth % 2 else [part] for nth, part in enumerate(parts))):
        yield "".join(chosen)


def _below(word: str, shapes: tuple[str, ...], names: Mapping[str, list[str]]) -> Iterator[tuple[str, bool]]:
    for listed in dict.fromkeys(each for shape in shapes for each in names.get(shape, ())):
        name, _, shape = listed.partition("=")
        inner = tuple(dict.fromkeys(filter(None, (*(f"{each}.{name}" for each in shapes), shape))))
        deeper = list(_below(f"{word}.{name}", inner, names))
        yield f"{word}.{name}", bool(deeper)
        yield from deeper


class UnplacedError(LookupError):
    """A word that neither a rule nor the table finds a place for."""


def place(tool: Tool, word: str, around: str, known: frozenset[str], *, holds_others: bool) -> str:
    """Where in a definition a word stands, when the word around it stands at `around` (empty: the root element)."""
    for pattern, where in tool.places.items():
        if fits(pattern, word):
            return posixpath.normpath(f"/{around}/{where}").strip("/")
    name = word.rpartition(".")[2]
    inside = _inside(known)
    for spelling in (name, name.removesuffix("s")):
        same = [each for each in inside.get((around, _plain(spelling)), ()) if not (holds_others and "@" in each)]
        if same:
            return min(same, key=lambda each: "@" not in each)
    if holds_others:
        if name in tool.cases:
            return around
        raise UnplacedError(word)
    if name in tool.texts and around in known:
        return around
    raise UnplacedError(word)


@cache
def _inside(known: frozenset[str]) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """What is inside of a place under which plain name: its own, before what is joined such as memory_unit, which is
    memory/@unit.
    """
    own: dict[tuple[str, str], tuple[str, ...]] = {}
    joined: dict[tuple[str, str], tuple[str, ...]] = {}
    for each in sorted(known):
        parts = each.split("/")
        for depth, found in ((1, own), (2, joined)):
            if len(parts) >= depth:
                key = ("/".join(parts[:-depth]), _plain("".join(parts[-depth:])))
                found[key] = (*found.get(key, ()), each)
    return joined | own


def _plain(name: str) -> str:
    return re.sub(r"[-_@/]", "", name).lower()
