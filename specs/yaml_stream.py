"""YAML text → one node tree per document, with hostile input refused before it costs anything.

A file is cut at its document markers first and each piece is composed by itself, so that a mistake in one document
hides no other. libyaml composes recursively in C without a limit of its own (a file of brackets ends the process), so
the limits are set here. What the nodes mean is left to `yaml_values`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

if TYPE_CHECKING or not yaml.__with_libyaml__:
    from yaml.composer import Composer
    from yaml.parser import Parser
    from yaml.reader import Reader
    from yaml.scanner import Scanner

    class _Base(Reader, Scanner, Parser, Composer):
        """PyYAML's own parser, for installations without libyaml: the same nodes, ten times slower."""

        def __init__(self, text: str) -> None:
            Reader.__init__(self, text)
            Scanner.__init__(self)
            Parser.__init__(self)
            Composer.__init__(self)

        def dispose(self) -> None:
            """Nothing to let go of: there is no C parser behind it."""

else:
    from yaml.cyaml import CParser as _Base

MAX_DEPTH: Final = 32
MAX_VALUES: Final = 20_000  # keys, items and scalars of one document

# The tags that `_Composer` gives to nodes that the author didn't tag.
PLAIN: Final = "plain"  # a scalar without quotes: its text decides what it is
TEXT: Final = "tag:yaml.org,2002:str"
MAPPING: Final = "tag:yaml.org,2002:map"
SEQUENCE: Final = "tag:yaml.org,2002:seq"

_MARKER = re.compile(r"^(---|\.\.\.)(?=[ \t\r\n]|\Z)", re.MULTILINE)
_NO_CONTENT = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?\n|%[^\n]*\n)*\Z")  # blank lines, comments and directives
_DIRECTIVE = re.compile(r"^%", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Piece:
    """The text of one document of a file. `first_line` counts from 0."""

    text: str
    first_line: int


class YamlMistakeError(Exception):
    """Text that isn't YAML as onggi reads it. `line` counts from 0 within the piece, `column` from 0."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.message = message


def pieces(text: str) -> Iterator[Piece]:
    """Cut a file at `---` and `...`. No scalar may hold such a line, so this never cuts a document in two."""
    start = line = 0
    begun = False  # the piece has its `---` already
    for marker in _MARKER.finditer(text):
        if marker[0] == "---":
            end = marker.start()
            if not begun and _is_prologue(text[start:end]):
                begun = True
                continue  # `%YAML 1.2` belongs to the document that begins here
        else:
            end = text.find("\n", marker.end()) + 1 or len(text)
        if end > start:
            yield Piece(text[start:end], line)
            line += text.count("\n", start, end)
            start = end
        begun = marker[0] == "---"
    if start < len(text):
        yield Piece(text[start:], line)


def _is_prologue(text: str) -> bool:
    return _NO_CONTENT.match(text) is not None and _DIRECTIVE.search(text) is not None


def compose(text: str, *, aliases: bool = False) -> Node | None:
    """The node tree of one piece; None when it is empty. Raises YamlMistakeError, also for an alias unless `aliases`
    are fine: then a node may be found at several places, or inside itself.
    """
    composer = _Composer(text)
    try:
        root: Node | None = composer.get_single_node()
    except yaml.MarkedYAMLError as error:
        raise _mistake(error, text) from None
    except yaml.YAMLError as error:
        raise YamlMistakeError(
            0, 0, f"This can't be read as YAML ({_one_line(error)}); save it again as plain UTF-8 text."
        ) from None
    finally:
        composer.dispose()
    if root is not None and "*" in text and not aliases:
        _refuse_aliases(text)
    return root


class _LimitError(yaml.MarkedYAMLError):
    """A limit of this module was passed. The parser that is unwound by it can't be used any more."""


class _Composer(_Base):
    """Composes nodes; counts them and how deep they are on the way, and leaves a scalar's meaning open."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._values = 0

    def descend_resolver(self, current_node: Any, _index: Any) -> None:
        """Called by PyYAML before each node."""
        self._depth += 1
        self._values += 1
        if self._depth > MAX_DEPTH:
            raise _LimitError(
                problem=f"This is nested more than {MAX_DEPTH} deep; no field needs that.",
                problem_mark=getattr(current_node, "start_mark", None),
            )
        if self._values > MAX_VALUES:
            raise _LimitError(
                problem=f"The document has more than {MAX_VALUES} values; split it into several.",
                problem_mark=getattr(current_node, "start_mark", None),
            )

    def ascend_resolver(self) -> None:
        """Called by PyYAML after each node."""
        self._depth -= 1

    def resolve(self, kind: type[Node], _value: Any, implicit: Any) -> str:
        """Called by PyYAML for each node without a tag."""
        if kind is ScalarNode:
            return PLAIN if implicit[0] else TEXT
        return MAPPING if kind is MappingNode else SEQUENCE


def _refuse_aliases(text: str) -> None:
    """The first alias is an error. Composing shares what it repeats, which is harmless; using it would not be."""
    for event in yaml.parse(text, Loader=yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent) and (mark := event.start_mark) is not None:
            raise YamlMistakeError(mark.line, mark.column, _ALIAS)


_ALIAS = "Aliases (`*name`) and merge keys aren't read; write the value out here, or share fields through a Template."

# libyaml's words → what to do. The first part that is found in `problem` decides.
_SENTENCES = {
    "found undefined alias": _ALIAS,
    "found duplicate anchor": _ALIAS,
    "exceeded maximum nesting depth": f"This is nested more than {MAX_DEPTH} deep; no field needs that.",
    "mapping values are not allowed": "A colon can't stand here; put the value in quotes, or check the indentation.",
    "did not find expected key": "A `key: value` is expected here; check the indentation and the quotes before it.",
    "did not find expected '-' indicator": "A list item (`- `) is expected here; check this line's indentation.",
    "block sequence entries are not allowed": "A list item (`- `) can't stand here; begin a line of its own with it.",
    "could not find expected ':'": "This isn't a `key: value`; add a colon and a blank, or check the indentation.",
    "did not find expected ',' or ']'": "This list `[…]` isn't closed, or lacks a comma; add `,` or `]`.",
    "did not find expected ',' or '}'": "This mapping `{…}` isn't closed, or lacks a comma; add `,` or `}`.",
    "found unexpected end of stream": "What is opened here is never closed; add the closing quote or bracket.",
    "found unexpected document indicator": "What is opened here is never closed; add the closing quote.",
    "found unknown escape character": "YAML has no such escape; write the backslash twice, or use single quotes.",
    "did not find expected hexdecimal number": "An escape such as `\\x41` needs hexadecimal digits; complete it.",
    "found a tab character": "A tab can't be used for indentation; use blanks.",
    "while scanning a directive": "A line can't begin with `%`; put the value in quotes.",
    "found undefined tag handle": "Tags (`!name`) aren't read; write a plain value.",
    "found another document": "Two documents stand here without `---` between them; add it on a line of its own.",
    "did not find expected <document start>": "A second value begins here; check the indentation, or add `---`.",
}  # fmt: skip


# For these, libyaml notices the mistake only at the end of the text; the author has to look where it began.
_OPENED_BEFORE = ("expected ',' or", "unexpected end of stream", "unexpected document indicator", "expected ':'")


def _mistake(error: yaml.MarkedYAMLError, text: str) -> YamlMistakeError:
    problem = error.problem or "it is broken"
    mark = error.problem_mark or error.context_mark
    if any(words in problem for words in _OPENED_BEFORE):
        mark = error.context_mark or mark
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    if isinstance(error, _LimitError):
        return YamlMistakeError(line, column, problem)
    if "cannot start any token" in problem:
        return YamlMistakeError(line, column, _no_token(text, line, column))
    for words, sentence in _SENTENCES.items():
        if words in problem or words in (error.context or ""):
            return YamlMistakeError(line, column, sentence)
    return YamlMistakeError(line, column, f"This isn't YAML ({problem}); check the quotes and the indentation here.")


def _no_token(text: str, line: int, column: int) -> str:
    found = text.split("\n")[line][column : column + 1]
    if found == "\t":
        return "A tab can't be used for indentation; use blanks."
    return f"A value can't begin with `{found}`; put it in quotes."


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
