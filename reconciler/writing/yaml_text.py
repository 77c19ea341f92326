"""Plain data as YAML text, as a person would write it: blocks, no anchors, only the quotes that it needs.

What is written here is read back before it is used: by `file_text.py`, with the parser that reads every document.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from specs.yaml_stream import YamlMistakeError, compose
from specs.yaml_values import read

_ENDLESS: Final = 1 << 20  # columns: a value stays on its line
_STRING: Final = "tag:yaml.org,2002:str"
_WORD: Final = re.compile(r"[A-Za-z/][A-Za-z/_]*[A-Za-z0-9/_.-]*")
# Words that some YAML reads as something else than text, now or by the rules of YAML 1.1.
_MEANING: Final = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))


@dataclass(frozen=True, slots=True)
class Style:
    """How a file is written: columns that a mapping is indented by, and a list below its key (0: not at all)."""

    mapping: int = 2
    sequence: int = 2
    literal: bool = True  # texts of several lines as blocks


class _Dumper(yaml.SafeDumper):
    """PyYAML's, for single scalars."""


def block(value: Mapping[str, Any], style: Style) -> list[str]:
    """The lines of a mapping that isn't empty, from column 0."""
    return [line for key, each in value.items() for line in entry(key, each, style)]


def entry(key: str, value: Any, style: Style) -> list[str]:
    """The lines of one `key: value`, from column 0."""
    head, below = after_colon(value, style)
    return [f"{scalar(key)}:{head}", *below]


def after_colon(value: Any, style: Style) -> tuple[str, list[str]]:
    """What stands behind a key's colon (with its blank), and the lines below, from the key's column."""
    if isinstance(value, Mapping) and value:
        return "", indented(block(value, style), style.mapping)
    if isinstance(value, list | tuple) and value:
        return "", indented([line for each in value for line in item(each, style)], style.sequence)
    head, below = _inline(value, style, style.mapping)
    return f" {head}", below


def item(value: Any, style: Style) -> list[str]:
    """The lines of one item of a list, from the column of its dash."""
    if isinstance(value, Mapping) and value:
        lines = block(value, style)
    elif isinstance(value, list | tuple) and value:
        lines = [line for each in value for line in item(each, style)]
    else:
        head, below = _inline(value, style, 2)
        return [f"- {head}", *below]
    return [f"- {lines[0]}", *indented(lines[1:], 2)]


def flow(value: Any) -> str:
    """A value in `{…}` and `[…]`, on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_in_flow(key)}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(each) for each in value) + "]"
    return _in_flow(value)


def scalar(value: Any, quote: str = "") -> str:
    """One value on one line. A text has the quotes that it needs, or those that are asked for."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    if not quote and _WORD.fullmatch(value) and value.lower() not in _MEANING:
        return value
    if quote == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return _dumped(value, '"' if "\n" in value else quote or _needed(value))


def indented(lines: list[str], columns: int) -> list[str]:
    """Moved to the right; empty lines stay empty."""
    return [" " * columns + line if line else line for line in lines]


def _in_flow(value: Any) -> str:
    text = scalar(value)
    # What may stand without quotes in a block may end an item in here.
    plain = isinstance(value, str) and text[:1] not in ("'", '"')
    return scalar(value, '"') if plain and re.search(r"[,\[\]{}:#]", text) else text


def _inline(value: Any, style: Style, columns: int) -> tuple[str, list[str]]:
    if isinstance(value, Mapping):
        return "{}", []
    if isinstance(value, list | tuple):
        return "[]", []
    if isinstance(value, str) and style.literal and _is_literal(value):
        indicator = str(columns) if value.lstrip("\n").startswith(" ") else ""
        chomping = "" if value.endswith("\n") else "-"
        return f"|{indicator}{chomping}", indented(value.removesuffix("\n").split("\n"), columns)
    return scalar(value), []


def _is_literal(value: str) -> bool:
    """True for several lines that a block shows as they are."""
    lines = value.removesuffix("\n").split("\n")
    good = all(line == line.rstrip() and line.replace("\t", "").isprintable() for line in lines)
    return "\n" in value and good and bool(lines[-1]) and bool(lines[0])


def _needed(value: str) -> str | None:
    """Double quotes for what isn't text without any, by our rules or by those of YAML 1.1; else PyYAML decides."""
    resolver: Any = _Dumper("")  # type: ignore[arg-type]  # nothing is written
    if resolver.resolve(yaml.ScalarNode, value, (True, False)) != _STRING:
        return '"'
    plain = _dumped(value, None)
    if plain[:1] in ("'", '"'):
        return None
    try:
        node = compose(f"key: {plain}\n")
    except YamlMistakeError:
        return '"'
    reading = read(node) if node is not None else None
    if reading is None or reading.findings or reading.value != {"key": value} or type(reading.value["key"]) is not str:
        return '"'
    return None


def _dumped(value: str, style: str | None) -> str:
    text: str = yaml.dump(value, Dumper=_Dumper, default_style=style, allow_unicode=True, width=_ENDLESS)
    return text.removesuffix("\n...\n").removesuffix("\n").replace("\n", " ")
