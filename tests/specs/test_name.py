"""No two names look the same: whatever can't be seen, or looks like something else, is in none."""

from __future__ import annotations

import json
import sys
import unicodedata

import jsonschema_rs
import pytest

from specs.document import parse
from specs.name import NAME_PATTERN, TITLE_PATTERN, VOLUME_PATTERN, composed, name_problem
from specs.registry import kinds
from specs.validate import validate

SEEN = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)  # for all that
# Ignorable, although Unicode counts them as letters and marks: they draw nothing.
FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
VARIANTS = [chr(each) for each in (*range(0xFE00, 0xFE10), *range(0x180B, 0x1810), *range(0xE0100, 0xE01F0))]
TWINS = [
    "\u00ad",
    "\u200b",
    "\u200d",
    "\u202e",
    "\u2066",
    "\u3164",
    "\ufe0f",
    "\ufeff",
    "\u00a0",
    "\u3000",
    "\U000e0041",
    "\ufffc",
    "\ufffd",
    "\ue000",
    "\U000f0000",
    "\U0010fffd",
]


def unseen() -> list[str]:
    """Every character that Unicode calls a control, a format or a separator, but for the blank, and what else is."""
    found = [
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(character) in ("Cc", "Cf", "Co", "Zl", "Zp", "Zs")
        and character not in SEEN | {" "}
        and not 0x13430 <= ord(character) <= 0x1345F  # joins hieroglyphs, visibly
    ]
    return [*found, *FILLERS, *VARIANTS, "\ufffc", "\ufffd"]


def test_no_name_has_what_nobody_sees() -> None:
    by_pattern = jsonschema_rs.validator_for({"type": "string", "pattern": NAME_PATTERN})
    volume = jsonschema_rs.validator_for({"type": "string", "pattern": VOLUME_PATTERN})
    for character in unseen():
        name = f"we{character}b"
        assert name_problem(name), f"U+{ord(character):04X}"
        assert not by_pattern.is_valid(name), f"U+{ord(character):04X}"
        assert not volume.is_valid(f"pool/{name}"), f"U+{ord(character):04X}"


def test_no_name_has_what_is_no_character() -> None:
    for character in ("\u0378", "\uffff", "\U0001fffe", "\U000e1000"):  # not assigned, or never to be
        assert unicodedata.category(character) == "Cn"
        assert "is shown in another way everywhere" in name_problem(f"we{character}b"), f"U+{ord(character):04X}"


def test_a_letter_and_its_accent_have_one_spelling() -> None:
    for name in ("café", "서버", "ångström"):
        apart = unicodedata.normalize("NFD", name)
        assert name_problem(name) == "" and composed(apart) == name
        assert repr(name) in name_problem(apart)


def test_names_in_any_script_stay_possible() -> None:
    for name in ("web-1", "web server", "서버", "веб", "ウェブ", "שרת", "خادم", "वेब", "𠀀", "café"):
        assert name_problem(name) == "", name


@pytest.mark.parametrize("kind", sorted(kinds()))
@pytest.mark.parametrize("character", TWINS, ids=lambda each: f"U+{ord(each):04X}")
def test_no_document_of_any_kind_is_called_so(kind: str, character: str) -> None:
    body = {"apiVersion": "onggi/v1", "kind": kind, "metadata": {"name": f"we{character}b"}, "spec": {"pool": "p"}}
    parsed = parse("a.yaml", json.dumps(body, ensure_ascii=ord(character) <= 0xFFFF).encode())
    problems = [*parsed.problems, *(problem for each in parsed.documents for problem in validate(each))]
    assert any("name" in problem.message for problem in problems)


def test_a_title_has_emoji_and_nothing_that_turns_it_around() -> None:
    title = jsonschema_rs.validator_for({"type": "string", "pattern": TITLE_PATTERN})
    assert title.is_valid("The 👩‍💻’s ✔️ shop") and title.is_valid("")
    for bad in ("The \u202epohs", "a\nb", "a\x1b[2J", "pay\u00adroll", "x\U000e0041"):
        assert not title.is_valid(bad), ascii(bad)
    schema = kinds()["VirtualMachine"].schema["properties"]["spec"]["properties"]["title"]
    assert schema["pattern"] == TITLE_PATTERN
