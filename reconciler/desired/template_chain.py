"""Which templates stand behind a name: found through `template:` fields, laid over each other, cycles told.

Keeps what it found, and hands out the same object as long as none of a chain's documents changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from specs.document import Document

from reconciler.desired.templates import merged
from specs.reference import TEMPLATE, Ref


@dataclass(frozen=True, slots=True, eq=False)
class Expanded:
    """A template with everything below it, nearest document first; or why it can't be used, in a sentence."""

    documents: tuple[Document, ...]
    spec: Mapping[str, Any]
    mistake: str = ""


class TemplateChains:
    """The templates of one revision after another."""

    def __init__(self) -> None:
        self._templates: Mapping[str, Document] = {}
        self._held: frozenset[Ref] = frozenset()
        self._before: dict[str, Expanded] = {}
        self._now: dict[str, Expanded] = {}

    def update(self, templates: Mapping[str, Document], held: frozenset[Ref]) -> None:
        """Go on to another revision's templates by name; `held` are documents that are there but broken."""
        self._templates, self._held = templates, held
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
        names: list[str] = []
        wanted: str | None = name
        while wanted is not None:
            if wanted in names:
                way = " → ".join([*names[names.index(wanted) :], wanted])
                return Expanded(tuple(chain), {}, f"The templates extend each other in a circle ({way}); cut it.")
            document = self._templates.get(wanted)
            if document is None:
                return Expanded(tuple(chain), {}, self._missing(wanted, names))
            chain.append(document)
            names.append(wanted)
            wanted = document.spec.get("template")
        spec: dict[str, Any] = {}
        for document in reversed(chain):
            spec = merged(spec, document.spec)
        spec.pop("template", None)
        return Expanded(tuple(chain), spec)

    def _missing(self, name: str, through: list[str]) -> str:
        by = f" (which {' → '.join(through)} extends)" if through else ""
        if Ref(TEMPLATE, name) in self._held:
            return f"The template {name!r}{by} has a mistake of its own; correct that first."
        return f"There is no template {name!r}{by}; add its document or correct the name."


def _same(left: tuple[Document, ...], right: tuple[Document, ...]) -> bool:
    return len(left) == len(right) and all(a is b for a, b in zip(left, right, strict=True))
