"""The pages that say of every element and attribute of libvirt's grammar how a document says it."""

from __future__ import annotations

import importlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path

from field_places import field_places
from libvirt_grammar import places

from specs.grammar import Grammar, fits
from specs.registry import Kind, kinds

_INTRODUCTION = """\
# What libvirt's grammar knows, and how a document says it

Every element and attribute that libvirt's own grammar has for these definitions is one of these: a **field** of
documents, something for the **overlay** (`spec.xml`), what libvirt fills in **by itself**, or something of
**another hypervisor**.

| kind | fields | overlay alone | libvirt itself | other hypervisors |
|---|---|---|---|---|
"""
_ROW = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)


class Word(Enum):
    """How something of the grammar is said."""

    FIELD = "field"
    OVERLAY = "overlay"
    RUN_TIME = "libvirt itself"
    ELSEWHERE = "another hypervisor"


def grammars() -> dict[str, Grammar]:
    """Each kind's, by its name."""
    return {
        kind.name: importlib.import_module(f"{kind.package}.grammar").GRAMMAR
        for kind in kinds().values()
        if kind.has_xml
    }


def pages(folder: Path) -> dict[Path, str]:
    """Every page by its path. What a page knew once it keeps, so that an older libvirt makes it no shorter."""
    found: dict[Path, str] = {}
    rows: list[str] = []
    for name, grammar in grammars().items():
        kind, path = kinds()[name], folder / f"{name.lower()}.md"
        known = known_places(path) | installed_places(grammar)
        said = classified(kind, grammar, known)
        found[path] = _page(kind, said)
        counts = Counter(word for word, _ in said.values())
        rows.append(f"| [{name}]({path.name}) | " + " | ".join(str(counts[word]) for word in Word) + " |")
    found[folder / "README.md"] = _INTRODUCTION + "\n".join(rows) + "\n"
    return found


def known_places(page: Path) -> frozenset[str]:
    """The places that a page tells of; none where there is no page yet."""
    return frozenset(_ROW.findall(page.read_text(encoding="utf-8"))) if page.is_file() else frozenset()


def installed_places(grammar: Grammar) -> frozenset[str]:
    """Those of the libvirt that is installed here, below the root element; none where there is none."""
    try:
        return frozenset(place.partition("/")[2] for place in places(grammar.file) if "/" in place)
    except OSError:
        return frozenset()


def classified(kind: Kind, grammar: Grammar, known: Iterable[str]) -> dict[str, tuple[Word, str]]:
    """For each place how it's said, and by which field or for which hypervisor."""
    fields = field_places(kind, grammar)
    said = {place: _word(place, fields, grammar) for place in sorted(known)}
    holders = {
        place.rsplit("/", depth)[0]
        for place, (word, _) in said.items()
        if word is Word.FIELD
        for depth in range(1, place.count("/") + 1)
    }
    return {
        place: (Word.FIELD, "") if word is Word.OVERLAY and place in holders else (word, what)
        for place, (word, what) in said.items()
    }


def _word(place: str, fields: Mapping[str, str], grammar: Grammar) -> tuple[Word, str]:
    for pattern, hypervisor in grammar.elsewhere.items():
        if fits(pattern, place):
            return Word.ELSEWHERE, hypervisor
    if place in fields:
        return Word.FIELD, fields[place]
    for pattern, name in grammar.by_code.items():
        if fits(pattern, place):
            return Word.FIELD, name
    if any(fits(pattern, place) for pattern in grammar.run_time):
        return Word.RUN_TIME, ""
    return Word.OVERLAY, ""


def _page(kind: Kind, said: Mapping[str, tuple[Word, str]]) -> str:
    rows = [f"| `{place}` | {word.value} | {f'`{what}`' if word is Word.FIELD and what else what} |"
            for place, (word, what) in said.items()]  # fmt: skip
    return f"# libvirt's grammar: {kind.name}\n\n| place | said by | |\n|---|---|---|\n" + "\n".join(rows) + "\n"
