"""A draft as the text of a YAML file, as a person would write it: blocks, no anchors, only the quotes that it needs."""

from __future__ import annotations

from typing import Any

import yaml

from reconciler.exporting.draft import Draft, in_schema_order
from specs.document import API_VERSION

_WIDTH = 120
_STRING = "tag:yaml.org,2002:str"
ADOPT = "onggi/adopt"


class _Dumper(yaml.SafeDumper):
    """PyYAML's, with lists indented below their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002  # PyYAML's name
        """As PyYAML's, never without an indent."""
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # PyYAML's name
        """Everything is written out where it is meant."""
        return True


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    plain_lines = "\n" in value and all(line == line.rstrip() and line.isprintable() for line in value.splitlines())
    readable = plain_lines and value == "\n".join(value.splitlines()) + "\n" * value.endswith("\n")
    if readable:
        return dumper.represent_scalar(_STRING, value, style="|")
    resolver: Any = dumper
    ambiguous = resolver.resolve(yaml.ScalarNode, value, (True, False)) != _STRING  # also by the rules of YAML 1.1
    return dumper.represent_scalar(_STRING, value, style='"' if ambiguous else None)


_Dumper.add_representer(str, _text)


def document_text(draft: Draft) -> str:
    """The file's whole text."""
    metadata: dict[str, Any] = {"name": draft.ref.short_name}
    if draft.uid:
        metadata["uid"] = draft.uid
    metadata["annotations"] = {ADOPT: "true"}
    body = {
        "apiVersion": API_VERSION,
        "kind": draft.ref.kind,
        "metadata": metadata,
        "spec": in_schema_order(draft.ref.kind, draft.spec),
    }
    dumped = yaml.dump(body, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return "".join(_comment(draft.left)) + str(dumped)


def _comment(left: list[str]) -> list[str]:
    if not left:
        return []
    return ["# Not declared here, and left as it is:\n", *(f"# - {_one_line(sentence)}\n" for sentence in left)]


def _one_line(sentence: str) -> str:
    """Names of the host come in: no character of theirs may end the comment."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in sentence)
