"""Changes a document within its text: only what has to differ is replaced, at the places that the parser gives.

Comments, order, quotes, blank lines and indentation stay because nobody touches them. What can't be done this way
raises CannotEditError, and `file_text.py`, which reads every result back, writes that document anew.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from reconciler.writing.pairing import pairs, same
from reconciler.writing.splices import CannotEditError, Splices
from reconciler.writing.yaml_text import (
    Style,
    after_colon,
    entry,
    flow,
    indented,
    item,
    scalar,
)

_BEFORE_COMMENT: Final = re.compile(r"( +)#")


def edited(text: str, root: Node, old: Mapping[str, Any], new: Mapping[str, Any], style: Style) -> str:
    """`text`, whose nodes are `root` and whose value is `old`, saying `new`. Raises CannotEditError."""
    editor = _Editor(text, style)
    if not editor.change(root, old, new):
        raise CannotEditError
    return editor.splices.result()


def style_of(root: Node) -> Style:
    """How a document is indented, by the first mapping and the first list in it that tell."""
    mapping: int | None = None
    sequence: int | None = None
    waiting: list[Node] = [root]
    while waiting and (mapping is None or sequence is None):
        node = waiting.pop(0)
        if not isinstance(node, CollectionNode) or node.flow_style:
            continue
        if isinstance(node, SequenceNode):
            waiting += node.value
            continue
        for key, value in node.value:
            waiting.append(value)
            deeper = value.start_mark.column - key.start_mark.column
            if isinstance(value, CollectionNode) and not value.flow_style and deeper >= 0:
                if isinstance(value, MappingNode) and mapping is None:
                    mapping = deeper
                elif isinstance(value, SequenceNode) and sequence is None:
                    sequence = deeper
    return Style(mapping or 2, 2 if sequence is None else sequence)


class _Editor:
    def __init__(self, text: str, style: Style) -> None:
        self.splices = Splices(text)
        self._text = text
        self._style = style

    def change(self, node: Node, old: Any, new: Any) -> bool:
        """Make the value at `node` be `new`; False when it has to be replaced as a whole."""
        if same(old, new):
            return True
        if isinstance(node, MappingNode) and isinstance(new, Mapping) and old and new:
            return self._flow_mapping(node, old, new) if node.flow_style else self._mapping(node, old, new)
        if isinstance(node, SequenceNode) and isinstance(new, list | tuple) and old and new:
            return self._flow_sequence(node, old, new) if node.flow_style else self._sequence(node, old, new)
        return False

    def _mapping(self, node: MappingNode, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        entries: list[tuple[ScalarNode, Node]] = [(key, value) for key, value in node.value]
        first = next((key for key, _ in entries if key.value in new), None)
        if first is None:
            return False
        for index, (key, value) in enumerate(entries):
            name = str(key.value)
            if name not in new:
                self._remove_entry(entries, index)
            elif not self.change(value, old[name], new[name]):
                self._replace_value(key, value, new[name])
        ends = {str(key.value): self._end_of(key, value) for key, value in entries}
        column = entries[0][0].start_mark.column
        before = ""  # the key that stands before in the order that is wanted
        for name, wanted in new.items():
            if name in old:
                before = name
            elif before:
                self.splices.insert(ends[before], entry(name, wanted, self._style), column)
            else:
                lines = entry(name, wanted, self._style)
                text = "\n".join([lines[0], *indented(lines[1:], column)])
                self.splices.replace(first.start_mark.index, first.start_mark.index, f"{text}\n{' ' * column}")
        return True

    def _end_of(self, key: Node, value: Node) -> int:
        return self.splices.extent_end(self.splices.content_end(value), key.start_mark.column)

    def _remove_entry(self, entries: Sequence[tuple[Node, Node]], index: int) -> None:
        key, value = entries[index]
        start = key.start_mark.index
        if self.splices.leads(start):
            self.splices.replace(self.splices.line_start(start), self._end_of(key, value), "")
        elif index + 1 < len(entries):
            self.splices.replace(start, entries[index + 1][0].start_mark.index, "")  # the next one takes its place
        else:
            raise CannotEditError

    def _replace_value(self, key: Node, value: Node, new: Any) -> None:
        colon = self._text.find(":", key.end_mark.index)
        if colon < 0 or self._text[key.end_mark.index : colon].strip():
            raise CannotEditError
        head, below = after_colon(new, self._style)
        if isinstance(new, str) and isinstance(value, ScalarNode) and value.style in ("'", '"') and not below:
            head = f" {scalar(new, value.style)}"
        lines = indented(below, key.start_mark.column)
        self._put(colon + 1, value, head, lines, key.start_mark.column)

    def _put(self, start: int, value: Node, head: str, below: list[str], column: int) -> None:
        """Have `head` and the lines below in the place of a value, which is written somewhere after `start`."""
        end = self.splices.content_end(value)
        first_end = self.splices.line_end(start) - 1
        if end <= first_end:
            self.splices.replace(start, end, head if below else self._aligned(start, end, head))
            self.splices.insert(first_end + 1, below, 0)
        elif value.start_mark.index <= first_end:
            self.splices.replace(start, end, "\n".join([head, *below]))
        else:
            self.splices.replace(start, start, head)
            self.splices.replace(first_end + 1, self.splices.extent_end(end, column), "")
            self.splices.insert(first_end + 1, below, 0)

    def _aligned(self, start: int, end: int, head: str) -> str:
        """`head` with the comment behind it kept in its column, where there is room: its blanks are counted in."""
        blanks = _BEFORE_COMMENT.match(self._text, end)
        longer = len(head) - (end - start)
        if blanks is None or longer == 0:
            return head
        if longer < 0:
            return head + " " * -longer
        if longer < len(blanks[1]):
            self.splices.replace(end, end + longer, "")
        return head

    def _sequence(self, node: SequenceNode, old: Sequence[Any], new: Sequence[Any]) -> bool:
        column = node.start_mark.column
        dashes = [self._dash(child, column, node.start_mark.index) for child in node.value]
        ends = [self.splices.extent_end(self.splices.content_end(child), column) for child in node.value]
        partner = {j: i for i, j in pairs(old, new)}
        kept = set(partner.values())
        for i, dash in enumerate(dashes):
            if i not in kept:
                if not self.splices.leads(dash):
                    raise CannotEditError
                self.splices.replace(self.splices.line_start(dash), ends[i], "")
        at = self.splices.line_start(dashes[0])
        for j, wanted in enumerate(new):
            if (i := partner.get(j, -1)) >= 0:
                if not self.change(node.value[i], old[i], wanted):
                    self._replace_item(node.value[i], dashes[i], wanted, column)
                at = ends[i]
                continue
            if at < dashes[0] and not self.splices.leads(dashes[0]):
                raise CannotEditError
            moved = next((i for i in range(len(old)) if i not in kept and same(old[i], wanted)), -1)
            if moved >= 0:
                kept.add(moved)
                self.splices.replace(at, at, self._text[self.splices.line_start(dashes[moved]) : ends[moved]])
            else:
                self.splices.insert(at, item(wanted, self._style), column)
        return True

    def _dash(self, child: Node, column: int, first: int) -> int:
        """Where the dash of an item is: in its line, or above it."""
        line = self.splices.line_start(child.start_mark.index)
        while line + column >= first:
            if self._text[line + column : line + column + 1] == "-" and line + column <= child.start_mark.index:
                return line + column
            line = self.splices.line_start(line - 1)
        raise CannotEditError

    def _replace_item(self, value: Node, dash: int, new: Any, column: int) -> None:
        lines = item(new, self._style)
        head = lines[0].removeprefix("-")
        if isinstance(new, str) and isinstance(value, ScalarNode) and value.style in ("'", '"') and len(lines) == 1:
            head = f" {scalar(new, value.style)}"
        self._put(dash + 1, value, head, indented(lines[1:], column), column)

    def _flow_mapping(self, node: MappingNode, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        if not all(key in new for key in old):
            self._replace_flow(node, new)
            return True
        for key, value in node.value:
            self._flow_child(value, old[key.value], new[key.value])
        added = [f", {flow({key: value})[1:-1]}" for key, value in new.items() if key not in old]
        self._flow_append(node.value[-1][1], added)
        return True

    def _flow_sequence(self, node: SequenceNode, old: Sequence[Any], new: Sequence[Any]) -> bool:
        if len(new) < len(old) or (len(new) > len(old) and not same(old, new[: len(old)])):
            self._replace_flow(node, new)
            return True
        for child, before, after in zip(node.value, old, new, strict=False):
            self._flow_child(child, before, after)
        self._flow_append(node.value[-1], [f", {flow(value)}" for value in new[len(old) :]])
        return True

    def _flow_child(self, node: Node, old: Any, new: Any) -> None:
        if not self.change(node, old, new):
            self._replace_flow(node, new)

    def _replace_flow(self, node: Node, new: Any) -> None:
        start, end = node.start_mark.index, node.end_mark.index
        if start == end:
            raise CannotEditError  # nothing is written there, not even a blank
        style = node.style if isinstance(new, str) and isinstance(node, ScalarNode) and node.style in ("'", '"') else ""
        self.splices.replace(start, end, scalar(new, style) if style else flow(new))

    def _flow_append(self, last: Node, texts: list[str]) -> None:
        if texts:
            self.splices.replace(last.end_mark.index, last.end_mark.index, "".join(texts))
