"""Which templates stand behind a name: found through `template:` fields, and laid over each other.

Loading has left out what extends itself or nothing. Keeps what it found, and hands out the same object as long as none
of a chain's documents changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.desired.template.meaning import merged
from specs.document import Document
from specs.plain import NewSpec, Spec
from specs.template import KIND as TEMPLATES


@dataclass(frozen=True, slots=True, eq=False)
class Expanded:
    """A template with everything below it, nearest document first; or why it can't be used, in a sentence."""

    documents: tuple[Document, ...]
    spec: Spec
    mistake: str = ""
    size: int = 0  # how many values it is


class TemplateChains:
    """The templates of one revision after another."""

    def __init__(self) -> None:
        self._templates: Mapping[str, Document] = {}
        self._before: dict[str, Expanded] = {}
        self._now: dict[str, Expanded] = {}

    def update(self, templates: Mapping[str, Document]) -> None:
        """Go on to another revision's good templates, by name."""
        self._templates = templates
        self._before, self._now = self._now, {}

    def of(self, name: str) -> Expanded:
        """The template `name`, expanded."""
        if (found := self._now.get(name)) is None:
            found = self._expand(name)
            before = self._before.get(name)
            if before is not None and before.mistake == found.mistake and _same(before.documents, found.documents):
                found = before
            self._now[name] = found
        return found

    def _expand(self, name: str) -> Expanded:
        chain: list[Document] = []
        wanted: str | None = name
        while wanted is not None:
            if (document := self._templates.get(wanted)) is None:
                by = f", which the template {chain[-1].name!r} extends," if chain else ""
                return Expanded((), {}, f"The template {wanted!r}{by} has a mistake of its own; correct that first.")
            chain.append(document)
            wanted = TEMPLATES.declared(document.spec).get("template")
        spec: NewSpec = {}
        for document in reversed(chain):
            spec = merged(spec, document.spec)
        spec.pop("template", None)
        return Expanded(tuple(chain), spec, size=values_in(spec))


def values_in(value: Any) -> int:
    """How many values, fields and items one is made of."""
    if isinstance(value, Mapping):
        return 1 + sum(map(values_in, value.values()))
    return 1 + sum(map(values_in, value)) if isinstance(value, list) else 1


def _same(left: tuple[Document, ...], right: tuple[Document, ...]) -> bool:
    return len(left) == len(right) and all(a is b for a, b in zip(left, right, strict=True))
