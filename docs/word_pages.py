"""The pages on which users of other tools find their words: for each of them the field here, or how else it's said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import grammar_pages
from grammar_pages import Word
from other_words import Tool, UnplacedError, place, words
from word_tables import TOOLS

from specs.grammar import fits
from specs.registry import kinds

_LEGEND = """
Beside a field it can be **`xml`** (the [overlay](../overlay.md)), **libvirt itself**, which fills it in, or **another
hypervisor**'s. **`xml`, if libvirt knows it** is what libvirt's grammar has no place for yet, or not there. **nothing**
needs no word: it is done anyway, or can't be asked for. `name.*` is all below a name.
"""
_ANSWERS = {Word.OVERLAY: "`xml`", Word.RUN_TIME: "libvirt itself"}
_NOWHERE = "`xml`, if libvirt knows it"
_NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Row:
    """One word: the place in the definition of its kind (none for what has none), and our word."""

    kind: str
    place: str | None
    ours: str
    holds_others: bool


def pages(folder: Path) -> dict[Path, str]:
    """Every page by its path."""
    return {folder / f"{tool.name}.md": _page(tool, rows(tool, folder)) for tool in TOOLS}


def rows(tool: Tool, folder: Path) -> dict[str, Row]:
    """Each word of a tool with what it is here. Raises UnplacedError for one that nobody has thought of."""
    classes = {
        name: grammar_pages.classified(
            kinds()[name], grammar, grammar_pages.known_places(folder.parent / "grammar" / f"{name.lower()}.md")
        )
        for name, grammar in grammar_pages.grammars().items()
        if name in tool.kinds.values()
    }
    known = {name: frozenset(said) for name, said in classes.items()}
    found: dict[str, Row] = {}
    for word, holds_others in words(folder / f"{tool.name}.txt").items():
        kind = tool.kinds[max((each for each in tool.kinds if word.startswith(f"{each}.")), key=len, default="domain")]
        around = found.get(word.rpartition(".")[0])
        where = None
        beyond = _of(word, dict.fromkeys(tool.nowhere, _NOWHERE))
        ours = _of(word, tool.ours)
        if beyond is None and (around is None or around.place is not None):
            try:
                where = place(tool, word, (around and around.place) or "", known[kind], holds_others=holds_others)
            except UnplacedError:
                if ours is None:
                    raise
        said = beyond if ours is None else f"`{ours}`" if ours else _NOTHING
        if said is None:
            if where not in known[kind]:
                raise UnplacedError(word)
            said = _answer(*classes[kind][where])
        found[word] = Row(kind, where, said, holds_others)
    return found


def _of(word: str, patterns: Mapping[str, str]) -> str | None:
    """What the first pattern says that means a word or one around it."""
    parts = word.split(".")
    arounds = [".".join(parts[:depth]) for depth in range(len(parts), 0, -1)]
    return next((said for each in arounds for pattern, said in patterns.items() if fits(pattern, each)), None)


def _answer(word: Word, what: str) -> str:
    if word is Word.FIELD:
        return f"`{what.replace('/', '.')}`" if what else "fields for its parts"
    return f"another hypervisor ({what})" if word is Word.ELSEWHERE else _ANSWERS[word]


def _page(tool: Tool, found: Mapping[str, Row]) -> str:
    parts = [tool.introduction + _LEGEND]
    for root in dict.fromkeys(word.partition(".")[0] for word in found):
        head = f"## {root}\n\n| theirs | in libvirt's XML | here |\n|---|---|---|\n"
        of_root = {word: row for word, row in found.items() if word.startswith(f"{root}.")}
        parts.append(head + "\n".join(_lines(root, of_root)) + "\n")
    return "\n".join(parts)


def _lines(root: str, found: Mapping[str, Row]) -> Iterator[str]:
    below: dict[str, set[str]] = {}
    for word, row in found.items():
        for depth in range(1, word.count(".")) if not row.holds_others else ():
            below.setdefault(word.rsplit(".", depth)[0], set()).add(row.ours)
    told: set[str] = set()
    for word, row in found.items():
        if any(word.startswith(f"{each}.") for each in told):
            continue
        said = below.get(word, {row.ours})
        if len(said) > 1 or (row.holds_others and "`" in (ours := next(iter(said))) and not ours.startswith("`xml`")):
            continue
        name = word.removeprefix(f"{root}.")
        if row.holds_others:
            told.add(word)
            name += ".*"
        yield f"| `{name}` | {f'`{row.place}`' if row.place else ''} | {next(iter(said))} |"
