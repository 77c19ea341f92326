"""Checks a document against its kind's JSON Schema and says each mistake in a sentence that ends in a remedy.

What is wrong is found out by `schema_mistakes`. A constraint whose own words wouldn't help carries its sentence in the
schema (`errorMessage`, which editors show as well); the others get theirs here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final

from specs.codecs import size_text
from specs.name import NAME_PATTERN, name_problem
from specs.nearest import nearest
from specs.plain import DocumentData, Json
from specs.registry import Kind
from specs.schema_mistakes import Mistake, Shape
from specs.schema_reasons import reason
from specs.url import FORMATS, format_problem
from specs.yaml_values import pointer_of

# Below these keys a value may be a secret: it never appears in a message.
_SENSITIVE: Final = frozenset({"passwordFrom", "userData", "metaData", "networkConfig"})

_MAPPING: Final = "a mapping (`key: value`)"  # what JSON calls an object
# How a sentence ends: what to do in the file.
_REMEDIES: Final = {
    "const": "write that",
    "minimum": "correct it",
    "maximum": "correct it",
    "maxLength": "shorten it",
    "maxItems": "shorten it",
    "minLength": "write at least one, or remove the line",
    "minItems": "write at least one, or remove the line",
    "uniqueItems": "remove one of the two",
}
_YES_NO: Final = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_LOOKS_LIKE_GIB: Final = 65_536  # somebody who writes a size this small has forgotten the unit
_SHORT_WORD = re.compile(r"[\w.+:/-]{1,40}")


@cache
def _shape(kind: Kind) -> Shape:
    return Shape(kind.schema, FORMATS)


def schema_errors(kind: Kind, body: DocumentData) -> Iterator[tuple[str, str]]:
    """(JSON pointer into the document, sentence) of every mistake; nothing for a document of the right shape."""
    shape = _shape(kind)
    if shape.fits(body):
        return
    mistakes = [(pointer_of(mistake.path), mistake) for mistake in shape.mistakes(body)]
    mistyped = {pointer for pointer, mistake in mistakes if mistake.keyword == "type"}
    for pointer, mistake in mistakes:
        # Of what isn't a mapping at all, nothing is to be said about its fields.
        if pointer not in mistyped or mistake.keyword == "type":
            yield _explained(pointer, mistake)


def _explained(pointer: str, mistake: Mistake) -> tuple[str, str]:
    rule, name = mistake.rule, mistake.name
    if mistake.keyword == "additionalProperties" and "errorMessage" not in rule:
        return pointer_of([*mistake.path, name]), _unknown_field(name, list(rule.get("properties", {})))
    if mistake.keyword == "required" and "errorMessage" not in rule:
        return pointer, f"`{name}` is missing; add it{_purpose(rule, name)}."
    return pointer, _sentence(mistake.keyword, rule, mistake.path, mistake.value)


def _sentence(keyword: str, rule: Json, path: Sequence[str | int], value: Any) -> str:
    """What is wrong with one value."""
    field = _field(path)
    if value is None:
        return f"{field} has no value; write one, or remove the line."
    secret = not _SENSITIVE.isdisjoint(map(str, path))
    if keyword == "type" and rule.get("x-unit") == "bytes" and type(value) is int:
        example = size_text(value) if value > _LOOKS_LIKE_GIB else f"{value}GiB"
        return (
            f"{field}: {value} has no unit: it could be bytes, or GiB as in a template; write one, such as {example}."
        )
    if keyword == "minimum" and "x-unit" in rule and 0 < value <= _LOOKS_LIKE_GIB:
        return f"{field}: {value} would be {value} {rule['x-unit']}; write a unit, such as {value}GiB."
    if keyword == "pattern" and rule.get("pattern") == NAME_PATTERN and isinstance(value, str):
        return name_problem(value) or str(rule["errorMessage"])
    if keyword == "type" and isinstance(value, bool | int) and not secret and rule["type"] == "string":
        return f'{field} has to be text; write it in quotes: "{_scalar(value)}".'
    if keyword == "format" and isinstance(value, str) and (problem := format_problem(rule["format"], value)):
        return problem
    if "errorMessage" in rule:
        return str(rule["errorMessage"])
    begun = reason(field, keyword, rule.get(keyword), an_object=_MAPPING)
    match keyword:
        case "type":
            return f"{begun}{'' if secret else _hint(rule['type'], value)}."
        case "enum":
            return f"{begun}{_meant(rule['enum'], value)}"
    if begun and keyword in _REMEDIES:
        return f"{begun}; {_REMEDIES[keyword]}."
    return f"{field} isn't what the schema asks for ({keyword}); see `onggi explain`."


def _field(path: Sequence[str | int]) -> str:
    """How a sentence begins: the field's name; an item's with its list."""
    if not path:
        return "The document"
    last = path[-1]
    if isinstance(last, int):
        return f"Item {last + 1} of `{_shown(path[-2])}`" if len(path) > 1 else f"Item {last + 1}"
    return f"`{_shown(last)}`"


def _shown(key: str | int) -> str:
    return pointer_of([key])[1:].replace("~1", "/").replace("~0", "~")


_NAMED: Final = 40  # fields that a sentence names; who has more is better told by `explain`


def _few(known: list[str]) -> str:
    more = len(known) - _NAMED
    return ", ".join(known[:_NAMED]) + (f" and {more} more, which `onggi explain` tells" if more > 0 else "")


def _unknown_field(name: str, known: list[str]) -> str:
    close = nearest(name, known) or [k for k in known if k.lower() == name.lower()]
    if close:
        return f"There is no field `{_shown(name)}` here; did you mean `{close[0]}`?"
    return f"There is no field `{_shown(name)}` here; remove it, or use one of {_few(known)}."


def _purpose(rule: Json, name: str) -> str:
    """` (what it is)`: the first sentence of the missing field's description."""
    text = str(rule.get("properties", {}).get(name, {}).get("description", ""))
    first = re.split(r"[.;:](?:\s|$)", text, maxsplit=1)[0]
    return f" ({first[0].lower()}{first[1:]})" if first else ""


def _hint(types: str | list[str], value: Any) -> str:
    """What to write instead, where it can be guessed."""
    if types == "boolean" and isinstance(value, str) and value.lower() in _YES_NO:
        return f"; write {_YES_NO[value.lower()]}"
    if types == "integer" and isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
        return f"; write {value} without quotes"
    if types == "array":
        return "; begin each item with `- `"
    if types == "object":
        return "; write its fields indented on the lines below"
    return "; correct it"


def _meant(allowed: Sequence[Any], value: Any) -> str:
    """The end of the sentence about a word that isn't allowed."""
    if isinstance(value, bool | int) and _scalar(value) in allowed:
        return f'; write "{_scalar(value)}" in quotes.'
    if not isinstance(value, str):
        return "; correct it."
    shown = f", not `{value}`" if _SHORT_WORD.fullmatch(value) else ""
    by_lower = {str(word).lower(): str(word) for word in allowed}
    close = nearest(value.lower(), by_lower)
    return f"{shown}; did you mean `{by_lower[close[0]]}`?" if close else f"{shown}; correct it."


def _scalar(value: bool | int) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
