"""Whole definitions as hosts have them, taken for fragments: each finds all of itself in itself."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from lxml import etree

from specs.overlay.fragment import mistakes
from specs.overlay.merging import differences, facts, left_over, merge, remove
from specs.overlay.tables import Table, tables
from specs.safe_xml import parse

Element = etree._Element
ROOT = Path(__file__).parents[3]


def definitions() -> list[Path]:
    return sorted(path for path in (ROOT / "tests/corpus").rglob("*.xml") if parse(path.read_text()).tag in tables())


def as_fragment(table: Table, root: Element) -> Element:
    """All of it that a fragment may say."""
    fragment = copy.deepcopy(root)
    for path in (*table.never, "metadata"):
        for each in fragment.findall(path) if "@" not in path else ():
            fragment.remove(each)
        fragment.attrib.pop(path.removeprefix("@"), None)
    for each in fragment.iter("graphics"):
        each.attrib.pop("passwd", None)
    return fragment


@pytest.mark.parametrize("path", definitions(), ids=lambda path: path.stem)
def test_a_whole_definition_is_contained_in_itself_and_can_be_taken_out_of_it(path: Path) -> None:
    root = parse(path.read_text())
    table = tables()[root.tag]
    fragment = as_fragment(table, root)
    assert mistakes(table, etree.tostring(fragment, encoding="unicode")) == []
    assert differences(table, root, fragment) == []
    assert etree.tostring(merge(table, copy.deepcopy(root), fragment)) == etree.tostring(root)
    made = merge(table, etree.Element(root.tag), fragment)
    assert differences(table, made, fragment) == []
    said = facts(table, fragment)
    remove(table, made, left_over(table, made, said, ()))
    assert left_over(table, made, said, ()) == []
