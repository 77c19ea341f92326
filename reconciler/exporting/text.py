"""A draft as the text of a YAML file, as a person would write it: blocks, no anchors, only the quotes that it needs."""

from __future__ import annotations

from typing import Final

from reconciler.exporting.draft import Draft
from reconciler.writing.yaml_text import Style, block
from specs.document import API_VERSION
from specs.plain import NewDocument
from specs.schema_order import in_schema_order

ADOPT: Final = "onggi/adopt"
_STYLE: Final = Style()


def document_text(draft: Draft) -> str:
    """The file's whole text."""
    metadata: NewDocument = {"name": draft.ref.short_name}
    if draft.uid:
        metadata["uid"] = draft.uid
    metadata["annotations"] = {ADOPT: "true"}
    body = {
        "apiVersion": API_VERSION,
        "kind": draft.ref.kind,
        "metadata": metadata,
        "spec": in_schema_order(draft.ref.kind, draft.spec),
    }
    return "".join([*_owner(draft.owner), *_comment(draft.told), *(f"{line}\n" for line in block(body, _STYLE))])


def _owner(owner: str) -> list[str]:
    return [f"# This {_one_line(owner)}; applying this document takes it away from there.\n"] if owner else []


def _comment(left: list[str]) -> list[str]:
    if not left:
        return []
    return ["# Not declared here, and left as it is:\n", *(f"# - {_one_line(sentence)}\n" for sentence in left)]


def _one_line(sentence: str) -> str:
    """Names of the host come in: no character of theirs may end the comment."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in sentence)
