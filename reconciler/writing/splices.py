"""Places in a text, and the replacements that are made there all at once: whatever isn't named stays byte for byte."""

from __future__ import annotations

import re
from typing import Final

from yaml.nodes import CollectionNode, Node, ScalarNode

_COMMENT: Final = re.compile(r"([ ]*)#[^\n]*(?:\n|\Z)")


class CannotEditError(Exception):
    """This change can't be made within the text as it is written; the document has to be written anew."""


class Splices:
    """Replacements in `text`, which ends with a line end. What is inserted at one place keeps the order of asking."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._wanted: list[tuple[int, int, str]] = []

    def replace(self, start: int, end: int, by: str) -> None:
        """Have `by` in the place of what is between the two."""
        self._wanted.append((start, end, by))

    def insert(self, at: int, lines: list[str], column: int) -> None:
        """Have these lines, moved to `column`, before the line that begins at `at`."""
        self.replace(at, at, "".join(" " * column + line + "\n" if line else "\n" for line in lines))

    def result(self) -> str:
        """The new text. Raises CannotEditError when two replacements concern the same place."""
        parts = []
        done = 0
        for start, end, by in sorted(self._wanted, key=lambda each: each[:2]):
            if start < done:
                raise CannotEditError
            parts += [self.text[done:start], by]
            done = end
        return "".join([*parts, self.text[done:]])

    def line_start(self, at: int) -> int:
        """Where the line that `at` is in begins."""
        return self.text.rfind("\n", 0, at) + 1

    def line_end(self, at: int) -> int:
        """Where the next line begins."""
        return self.text.find("\n", at) + 1 or len(self.text)

    def leads(self, at: int) -> bool:
        """True when nothing but blanks stands before `at` in its line."""
        return not self.text[self.line_start(at) : at].strip(" ")

    def content_end(self, node: Node) -> int:
        """Where a value ends, without the comments and empty lines that the parser counts to it."""
        start, end = int(node.start_mark.index), int(node.end_mark.index)
        if isinstance(node, ScalarNode):
            if node.style not in ("|", ">"):
                return end
            written = self.text[start:end]
            kept = "+" in written.partition("\n")[0].partition("#")[0]
            return start + len(written.removesuffix("\n") if kept else written.rstrip())
        if not isinstance(node, CollectionNode) or node.flow_style or not node.value:
            return end
        last = node.value[-1]
        return self.content_end(last[1] if isinstance(last, tuple) else last)

    def extent_end(self, end: int, column: int) -> int:
        """Where the lines end that belong to what begins in `column` and ends at `end`: also comments further right."""
        at = self.line_end(end)
        while (comment := _COMMENT.match(self.text, at)) is not None and len(comment[1]) > column:
            at = comment.end()
        return at
