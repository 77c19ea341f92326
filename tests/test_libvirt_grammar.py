"""Nothing of libvirt's own grammar is out of a document's reach, and nobody has to guess how it's said."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from specs.grammar import Grammar, fits
from specs.registry import Kind, kinds

DOCS = Path(__file__).parents[1] / "docs"
sys.path.insert(0, str(DOCS))
try:
    import field_places
    import grammar_pages
    import libvirt_grammar
finally:
    sys.path.remove(str(DOCS))

GRAMMARS: dict[str, Grammar] = grammar_pages.grammars()
PER_KIND = pytest.mark.parametrize(
    ("kind", "grammar"), [pytest.param(kinds()[name], each, id=name) for name, each in GRAMMARS.items()]
)


def known(kind: Kind) -> frozenset[str]:
    found: frozenset[str] = grammar_pages.known_places(DOCS / "grammar" / f"{kind.name.lower()}.md")
    return found


@PER_KIND
def test_all_that_the_installed_libvirt_knows_has_been_thought_of(kind: Kind, grammar: Grammar) -> None:
    installed = grammar_pages.installed_places(grammar)
    assert installed, "libvirt's packages bring its grammar"
    assert installed - known(kind) == set(), (
        "this libvirt knows more: say what of it is a field, libvirt's own or another hypervisor's, and run `make docs`"
    )


@PER_KIND
def test_every_field_is_at_a_place_that_libvirt_knows(kind: Kind, grammar: Grammar) -> None:
    places = field_places.field_places(kind, grammar)
    assert {where: name for where, name in places.items() if where not in known(kind)} == {}


@PER_KIND
def test_whatever_is_said_of_the_grammar_is_about_something_in_it(kind: Kind, grammar: Grammar) -> None:
    patterns = {*grammar.by_code, *grammar.run_time, *grammar.elsewhere}
    assert {each for each in patterns if not any(fits(each, place) for place in known(kind))} == set()


@PER_KIND
def test_every_field_that_code_writes_is_one(kind: Kind, grammar: Grammar) -> None:
    def is_field(name: str) -> bool:
        declared: Any = kind.declarations.SPEC
        try:
            for key in name.split("."):
                declared = declared[key]
        except KeyError:
            return False
        return True

    named = {*grammar.by_code.values(), *grammar.lists}
    assert {each for each in named if not each.startswith("metadata") and not is_field(each.replace("/", "."))} == set()


def test_what_a_grammar_says_is_found_wherever_it_says_it(tmp_path: Path) -> None:
    (tmp_path / "thing.rng").write_text("""\
<grammar xmlns="http://relaxng.org/ns/structure/1.0">
  <include href="common.rng"/>
  <start><ref name="thing"/></start>
  <define name="thing">
    <element name="thing">
      <interleave>
        <optional><attribute name="id"><data type="int"/></attribute></optional>
        <group><ref name="store"/></group>
        <element><choice><name>a</name><name>b</name></choice></element>
        <element><anyName/><empty/></element>
      </interleave>
    </element>
  </define>
</grammar>""")
    (tmp_path / "common.rng").write_text("""\
<grammar xmlns="http://relaxng.org/ns/structure/1.0">
  <define name="store">
    <element name="store"><attribute name="path"/><optional><ref name="store"/></optional></element>
  </define>
</grammar>""")
    assert libvirt_grammar.places("thing.rng", tmp_path) == {
        *("thing", "thing/@id", "thing/store", "thing/store/@path", "thing/a", "thing/b", "thing/*"),
    }


@pytest.mark.parametrize(
    ("pattern", "place", "expected"),
    [
        ("os/@firmware", "os/@firmware", True),
        ("os/@firmware", "os/@firmwares", False),
        ("devices/*/alias/**", "devices/disk/alias", True),
        ("devices/*/alias/**", "devices/disk/alias/@name", True),
        ("devices/*/alias/**", "devices/disk/source/alias", False),
        ("rule/*/@*", "rule/tcp/@srcip", True),
    ],
)
def test_a_pattern_means_places(pattern: str, place: str, expected: bool) -> None:
    assert fits(pattern, place) is expected
