"""YAML nodes → plain Python values with YAML 1.2's core meaning, and the place of each value in the text.

`no`, `on`, dates and `52:54:00:12:34:56` are text; `010` is ten and `0o10` eight. What the core schema allows but no
field can use (fractions, keys that aren't text, merge keys) is an error here, where its place is known best.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from specs.yaml_stream import MAPPING, PLAIN, SEQUENCE, TEXT

MAX_KEY: Final = 128
_A_WORD: Final = 64  # of text that thousands of documents may have alike; such words and keys are in memory once
MAX_FINDINGS: Final = 50  # a document that is wrong in more places is wrong as a whole

_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_NUMERIC_START = frozenset("0123456789+-.")
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_MAX_DIGITS = 18  # more don't fit into the 64 bits that libvirt counts with

# What XML can't carry. Raw ones are refused with the file; these come from escapes in double quotes.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")

_CORE = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Finding:
    """A mistake at a node: JSON pointer, place in the file (both counted from 1), sentence."""

    pointer: str
    line: int
    column: int
    message: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The value of a document, and what is wrong with its YAML. A wrong value stands as it could best be read."""

    value: Any
    findings: list[Finding]


def read(root: Node, first_line: int = 0) -> Reading:
    """The value of a node tree whose text begins `first_line` lines (from 0) into its file."""
    reader = _Reader(first_line)
    value = reader.value(root)
    return Reading(value, reader.findings(root) if reader.mistakes else [])


def places(root: Node) -> dict[str, tuple[int, int]]:
    """(line, column), from 0, of every JSON pointer: of the key in a mapping, of the item in a list."""
    return {pointer: (key.start_mark.line, key.start_mark.column) for pointer, key, _ in _walk(root)}


def first_line_of_block(root: Node, pointer: str) -> int | None:
    """The line, from 0, on which the text at a pointer begins; None where it isn't a block that keeps its lines."""
    node = next((value for where, _, value in _walk(root) if where == pointer), None)
    return int(node.start_mark.line) + 1 if isinstance(node, ScalarNode) and node.style == "|" else None


def pointer_of(parts: Iterable[str | int]) -> str:
    """The JSON pointer (RFC 6901) of a path. What would break a line of output is shown as `?`."""
    return "".join(f"/{_CONTROL.sub('?', str(p)[:MAX_KEY]).replace('~', '~0').replace('/', '~1')}" for p in parts)


def is_printable(text: str) -> bool:
    """False when `text` has characters that XML, or a line of a log, can't carry. Line breaks and tabs are fine."""
    return _CONTROL.search(text) is None


class _Reader:
    """One reading of one document; collects mistakes by node, and looks their pointers up only if there are any."""

    def __init__(self, first_line: int) -> None:
        self.mistakes: list[tuple[Node, str]] = []
        self._first_line = first_line

    def findings(self, root: Node) -> list[Finding]:
        """The mistakes with their pointers and places."""
        pointers: dict[int, str] = {}
        for pointer, key, value in _walk(root):
            pointers[id(value)] = pointer
            pointers.setdefault(id(key), pointer)
        return [
            Finding(pointers.get(id(node), ""), self._line(node), node.start_mark.column + 1, message)
            for node, message in self.mistakes
        ]

    def value(self, node: Node) -> Any:
        """The value of a node."""
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        if isinstance(node, MappingNode):
            if node.tag != MAPPING:
                self._note(node, _no_tag(node))
            return self._mapping(node)
        if node.tag != SEQUENCE:
            self._note(node, _no_tag(node))
        return [self.value(item) for item in node.value]

    def _note(self, node: Node, message: str) -> None:
        if len(self.mistakes) < MAX_FINDINGS:
            self.mistakes.append((node, message))

    def _line(self, node: Node) -> int:
        return int(self._first_line + node.start_mark.line + 1)

    def _scalar(self, node: ScalarNode) -> Any:
        text: str = node.value
        if node.tag == PLAIN:
            if text in _WORDS:
                return _WORDS[text]
            if text[0] in _NUMERIC_START:
                return self._number(node, text)
            return sys.intern(text) if len(text) <= _A_WORD else text
        if node.tag != TEXT:
            return self._tagged(node)
        # Only a scalar in double quotes can spell out what the file itself may not hold.
        if node.style == '"' and _CONTROL.search(text):
            self._note(node, "This text holds a control character, which a VM's definition can't carry; remove it.")
        return text

    def _mapping(self, node: MappingNode) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self.value(key_node)
            value = self.value(value_node)
            if type(key) is not str:
                self._note(key_node, "A key has to be text; put it in quotes if it is meant as one.")
                continue
            if key == "<<":
                self._note(
                    key_node,
                    "Merge keys (`<<`) aren't read; write the fields out here, or share them through a Template.",
                )
            elif len(key) > MAX_KEY:
                self._note(key_node, f"A key has at most {MAX_KEY} characters; shorten it.")
            elif key in result and len(self.mistakes) < MAX_FINDINGS:
                first = next(known for known, _ in node.value if known.value == key)
                shown = _CONTROL.sub("?", key)
                self._note(
                    key_node, f"`{shown}` is written twice, first on line {self._line(first)}; remove one of them."
                )
            result[sys.intern(key)] = value
        return result

    def _number(self, node: ScalarNode, text: str) -> int | str:
        if _INTEGER.fullmatch(text):
            if len(text) > _MAX_DIGITS:
                self._note(node, "This number is too large for any field; put it in quotes if text is meant.")
                return text
            return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
        if _FLOAT.fullmatch(text):
            self._note(
                node,
                f"`{text[:40]}` is a number with a fraction, which no field takes; put it in quotes if text is meant.",
            )
            return 0
        return text

    def _tagged(self, node: ScalarNode) -> Any:
        """A scalar with a core tag of its own (`!!str 10`); any other tag is an error."""
        text: str = node.value
        if node.tag == f"{_CORE}str":
            return text
        wanted = {f"{_CORE}int": int, f"{_CORE}bool": bool, f"{_CORE}null": type(None)}.get(node.tag)
        value = _WORDS[text] if text in _WORDS else self._number(node, text)
        if type(value) is not wanted:
            self._note(node, _no_tag(node))
        return value


def _no_tag(node: Node) -> str:
    shown = node.tag.removeprefix(_CORE)
    shown = f"!!{shown}" if shown != node.tag else shown
    return f"The tag `{_CONTROL.sub('?', shown[:40])}` isn't read, or doesn't fit this value; remove it."


def _walk(root: Node) -> Iterator[tuple[str, Node, Node]]:
    """(pointer, the node that names it, its value) of everything, parents first. The limits on depth hold here too."""
    yield "", root, root
    yield from _walk_below(root, "")


def _walk_below(node: Node, above: str) -> Iterator[tuple[str, Node, Node]]:
    children: Sequence[tuple[str | int, Node, Node]]
    if isinstance(node, MappingNode):
        children = [(str(key.value) if isinstance(key, ScalarNode) else "?", key, value) for key, value in node.value]
    elif isinstance(node, SequenceNode):
        children = [(index, item, item) for index, item in enumerate(node.value)]
    else:
        return
    for part, key, value in children:
        pointer = above + pointer_of((part,))
        yield pointer, key, value
        yield from _walk_below(value, pointer)
