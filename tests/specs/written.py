"""Documents as text, and what the product says of them."""

from __future__ import annotations

import textwrap

from specs.document import Document, ParsedFile, parse
from specs.problem import Problem
from specs.validate import validate

HEAD = "apiVersion: onggi/v1\nkind: {kind}\nmetadata:\n  name: {name}\nspec:\n"


def written(kind: str, spec: str, name: str = "thing") -> str:
    """A document whose spec is this YAML. The spec begins on line 6."""
    body = textwrap.indent(textwrap.dedent(spec).strip("\n"), "  ")
    return HEAD.format(kind=kind, name=name) + (body + "\n" if body.strip() else "  {}\n")


def read(text: str | bytes, path: str = "a.yaml") -> ParsedFile:
    return parse(path, text.encode() if isinstance(text, str) else text)


def one(text: str | bytes) -> Document:
    """The only document of a text without mistakes in its YAML."""
    parsed = read(text)
    assert parsed.problems == ()
    (document,) = parsed.documents
    return document


def told(text: str | bytes) -> list[Problem]:
    """Everything that is wrong with the documents of a text."""
    parsed = read(text)
    return [*parsed.problems, *(problem for document in parsed.documents for problem in validate(document))]


def told_of(kind: str, spec: str) -> dict[str, str]:
    """Sentences by pointer into the spec."""
    return {problem.pointer.removeprefix("/spec"): problem.message for problem in told(written(kind, spec))}
