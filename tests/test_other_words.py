"""Whoever comes from another tool finds each of its words, and what the pages say of them is so."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from specs.grammar import fits
from specs.registry import kinds

DOCS = Path(__file__).parents[1] / "docs"
sys.path.insert(0, str(DOCS))
try:
    import grammar_pages
    import other_words
    import word_pages
    import word_tables
finally:
    sys.path.remove(str(DOCS))

PER_TOOL = pytest.mark.parametrize("tool", word_tables.TOOLS, ids=lambda tool: str(tool.name))


@cache
def rows(tool: Any) -> dict[str, Any]:
    """Raises for a word that has neither a place nor a sentence."""
    found: dict[str, Any] = word_pages.rows(tool, DOCS / "words")
    return found


def is_field(kind: str, name: str) -> bool:
    declared: Any = kinds()[kind].declarations.SPEC
    try:
        for key in name.split("."):
            declared = declared[key]
    except KeyError:
        return name.partition(".")[0] == "metadata"
    return True


@PER_TOOL
def test_every_word_of_the_list_is_told_of(tool: Any) -> None:
    listed = other_words.words(DOCS / "words" / f"{tool.name}.txt")
    assert list(rows(tool)) == list(listed)
    assert len(listed) > 900


@PER_TOOL
def test_every_place_is_one_that_libvirt_knows(tool: Any) -> None:
    known = {
        name: grammar_pages.known_places(DOCS / "grammar" / f"{name.lower()}.md") for name in grammar_pages.grammars()
    }
    assert {word: row.place for word, row in rows(tool).items() if row.place and row.place not in known[row.kind]} == {}


@PER_TOOL
def test_every_field_that_is_named_exists(tool: Any) -> None:
    named = {(row.kind, row.ours.strip("`")) for row in rows(tool).values() if row.ours.endswith("`")}
    assert {(kind, name) for kind, name in named if not is_field(kind, name)} == set()


@PER_TOOL
def test_the_table_has_nothing_that_no_word_needs(tool: Any) -> None:
    words = list(rows(tool))
    patterns = [*tool.places, *tool.ours, *tool.nowhere]
    assert [each for each in patterns if not any(fits(each, word) for word in words)] == []


@pytest.mark.parametrize(
    ("tool", "word", "place", "ours"),
    [
        ("terraform", "domain.devices.disks.driver.cache", "devices/disk/driver/@cache", "`disks.driver.cache`"),
        ("terraform", "domain.memory_unit", "memory/@unit", "`memory`"),
        ("terraform", "domain.running", None, "`runStrategy`"),
        ("terraform", "domain.block_io_tune.weight", "blkiotune/weight", "`xml`"),
        ("terraform", "domain.os.init", "os/init", "another hypervisor (LXC)"),
        ("terraform", "volume.key", "key", "libvirt itself"),
        ("nixvirt", "domain.devices.disk.driver.cache", "devices/disk/driver/@cache", "`disks.driver.cache`"),
        ("nixvirt", "options.networks.active", None, "`active`"),
    ],
)
def test_a_word_is_found(tool: str, word: str, place: str | None, ours: str) -> None:
    row = rows(next(each for each in word_tables.TOOLS if each.name == tool))[word]
    assert (row.place, row.ours) == (place, ours)


def test_a_word_that_nobody_thought_of_is_named() -> None:
    tool = word_tables.TOOLS[0]
    with pytest.raises(other_words.UnplacedError, match=r"domain\.cpu\.colour"):
        other_words.place(tool, "domain.cpu.colour", "cpu", frozenset({"cpu", "cpu/@mode"}), holds_others=False)
