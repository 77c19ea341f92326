"""What a kind's documents are made into. The answers are in `making.py` of the kind's folder here, found by scanning.

As they stand, they are those for a document that says everything by itself, and is one thing.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Final

from reconciler.desired.identity import object_uid
from reconciler.desired.made import Inputs, Made, problem, resource
from specs.document import Document
from specs.host_paths import host_paths, refused
from specs.plain import Spec
from specs.registry import kinds

COST: Final = 10  # values that a resource counts for, whatever is in it


@dataclass(frozen=True, slots=True)
class Around:
    """What is the same for all documents of a revision. `gathered` is what those of a kind say together, by kind."""

    repository_id: str
    allowed_folders: tuple[str, ...]  # where a CD-ROM's path may lie
    gathered: Mapping[str, Any]


class Making:
    """Of one kind. What is asked about one document is asked inside of a bulkhead."""

    kind: ClassVar[str] = ""

    def gather(self, documents: Sequence[Document], before: Any) -> Any:
        """What all documents of this kind together mean for others; `before` is what those of the last revision did."""
        return None

    def others(self, document: Document, around: Around) -> Any:
        """What of other documents it is made from. Compared by value: it is made anew when this is another one."""
        return ()

    def cost(self, document: Document, others: Any) -> int:
        """How many values it will come to, known before it is made: a few lines may ask for very much."""
        return COST

    def make(self, inputs: Inputs, around: Around) -> Made:
        """Its resources, or what is wrong with them."""
        document = inputs.document
        spec = kinds()[document.kind].declarations.SPEC
        mistakes = tuple(
            problem(document, f"/spec{pointer}", why)
            for pointer, path in host_paths(spec, document.spec)
            if (why := refused(path, around.allowed_folders))
        )
        if mistakes:
            return Made(inputs, problems=mistakes)
        uid = object_uid(inputs.repository_id, document.ref, document.uid)
        return Made(inputs, (resource(document, uid, self.spec(document)),))

    def spec(self, document: Document) -> Spec:
        """What it asks for, with everything that it names named in full."""
        return dict(document.spec)

    def among(self, made: Sequence[Made]) -> Iterable[tuple[Made, str, str]]:
        """What is wrong with them together though each of them is good: (which, pointer, sentence)."""
        return ()


_NONE = Making()


@cache
def makings() -> Mapping[str, Making]:
    """Those of every kind that has any here, by its name."""
    package = importlib.import_module("reconciler.desired")
    folders = (each.name for each in pkgutil.iter_modules(package.__path__, f"{package.__name__}.") if each.ispkg)
    found: list[Making] = [importlib.import_module(f"{folder}.making").MAKING for folder in folders]
    return {each.kind: each for each in found}


def making_of(kind: str) -> Making:
    """That of a kind; of one that has none here, what is so of most."""
    return makings().get(kind, _NONE)
