"""The API specification, read: every address with the methods, parameters, fields and actions that its text lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SPECIFICATION = Path(__file__).parent / "kimchi-rest-api.md"

_HEADING = re.compile(r"^#{3,4} ")
_URI = re.compile(r"^\*\*URI:\*\* (\S+)")
_METHOD = re.compile(r"^\* \*\*(GET|POST|PUT|DELETE)\*\*: ?(.*)")
_ACTIONS = re.compile(r"^\*\*(?:\w+ )?Actions \((?:POST|PUT)\):\*\*")
_FIELD = re.compile(r"^( +)(?:\* |- )?(\*|-) ?([A-Za-z_]\w*) *(?:\*\(optional\)\*)? *(?:-|:)")
_ACTION = re.compile(r"^\* (\w+):")


@dataclass
class Field:
    """A name in a list of the text, and those in the list below it: fields of its own, or the values it may have."""

    name: str
    below: list[Field] = field(default_factory=list)


@dataclass
class Method:
    """What one method takes (POST, PUT) or gives (GET); `parameters` are of the query."""

    verb: str
    fields: list[Field] = field(default_factory=list)
    parameters: list[Field] = field(default_factory=list)


@dataclass
class Address:
    """One URI. `path` has `{}` for what is variable."""

    path: str
    methods: dict[str, Method] = field(default_factory=dict)
    actions: dict[str, list[Field]] = field(default_factory=dict)  # with what each takes


def addresses(text: str = "") -> list[Address]:
    """Every address of the specification, in its order."""
    return [_address(section) for section in _sections(text or SPECIFICATION.read_text(encoding="utf-8"))]


def _sections(text: str) -> Iterator[list[str]]:
    section: list[str] = []
    for line in text.splitlines():
        if _HEADING.match(line):
            if any(map(_URI.match, section)):
                yield section
            section = []
        section.append(line)
    if any(map(_URI.match, section)):
        yield section


def _address(section: list[str]) -> Address:
    found = Address("")
    method: Method | None = None
    in_actions = False
    stack: list[tuple[int, list[Field]]] = []
    for line in section:
        if match := _URI.match(line):
            found.path = re.sub(r"\*?:[\w-]+\*?", "{}", match[1])
        elif _ACTIONS.match(line):
            in_actions, method = True, None
        elif in_actions:
            if match := _ACTION.match(line):
                stack = [(0, found.actions.setdefault(match[1], []))]
            elif found.actions and (match := _FIELD.match(line)) and match[3] != "task":
                stack[-1][1].append(Field(match[3]))
        elif match := _METHOD.match(line):
            verb, said = match[1], match[2]
            if verb == "POST" and said.lower().strip("*").startswith("see "):
                method = None
                continue
            method = found.methods.setdefault(verb, Method(verb))
            stack = [(0, method.fields)]
        elif method is not None and re.match(r"^ +\* Parameters:", line):
            stack = [(0, method.fields), (_indent(line), method.parameters)]
        elif method is not None and re.match(r"^ +\* Response:", line):
            stack = [(0, method.fields), (_indent(line), method.fields)]
        elif method is not None and (match := _FIELD.match(line)):
            indent = len(match[1])
            while stack[-1][0] >= indent:
                stack.pop()
            made = Field(match[3])
            stack[-1][1].append(made)
            stack.append((indent, made.below))
    return found


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
