"""What a document is made into, and how resources come about, whatever their kind."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, NamedTuple

from reconciler.desired.state import Policy, Resource
from specs.document import Document
from specs.plain import Spec
from specs.problem import Problem
from specs.reference import Ref
from specs.registry import kinds

_SHOWN: Final = 3  # others that a sentence names


class Inputs(NamedTuple):
    """All that a document's resources are made from. Compared by identity where that is enough."""

    document: Document
    repository_id: str
    others: Any = ()  # what its kind takes from other documents

    def same(self, other: Inputs) -> bool:
        """True when nothing else could be made of these."""
        return (
            self.document is other.document
            and self.repository_id == other.repository_id
            and bool(self.others == other.others)
        )


@dataclass(frozen=True, slots=True)
class Made:
    """What became of one document: its resource first, then those that it implies; or problems and nothing."""

    inputs: Inputs
    resources: tuple[Resource, ...] = ()
    problems: tuple[Problem, ...] = ()
    implied: tuple[Ref, ...] = ()
    uses: tuple[tuple[Ref, bool], ...] = ()  # what others may use too, and whether it writes to it


def resource(document: Document, uid: str, spec: Spec, *, next_boot: frozenset[str] = frozenset()) -> Resource:
    """That of the document itself."""
    needs = tuple(dict.fromkeys(kinds()[document.kind].references(document.name, spec)))
    made = Resource(
        ref=document.ref,
        uid=uid,
        spec=spec,
        path=document.path,
        line=document.line,
        policy=_policy(document, spec, next_boot),
        depends_on=needs,
    )
    return digested(made)


def digested(resource: Resource) -> Resource:
    """With the digest of all that it says."""
    # A seed's bytes aren't in it: its name is made from them.
    policy = resource.policy
    everything = [
        str(resource.ref),
        resource.uid,
        resource.spec,
        [
            policy.drift,
            policy.deletion,
            policy.ignore_fields,
            policy.adopt,
            policy.protect,
            *policy.complete,
            *sorted(policy.next_boot),
        ],
        [str(ref) for ref in resource.depends_on],
        str(resource.parent),
    ]
    text = json.dumps(everything, sort_keys=True, separators=(",", ":"), default=str)
    object.__setattr__(resource, "digest", hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())
    return resource


def problem(document: Document, pointer: str, message: str) -> Problem:
    """What is wrong with it, at its place."""
    line, column = document.locate(pointer)
    return Problem(document.path, line, column, message, pointer, document.ref)


def named(all_of_them: Sequence[Made], but: Made) -> str:
    """The others, of whom a few are named: a sentence for each of very many may not name all of them."""
    first = islice((str(other.inputs.document.ref) for other in all_of_them if other is not but), _SHOWN)
    names = sorted(set(first))
    more = len(all_of_them) - len(names) - 1
    return ", ".join(names) + (f" and {more} more" if more > 0 and len(names) == _SHOWN else "")


def _policy(document: Document, spec: Spec, next_boot: frozenset[str]) -> Policy:
    return Policy(
        drift=spec.get("driftPolicy", "enforce"),
        deletion=spec.get("deletionPolicy", "Retain"),
        ignore_fields=tuple(spec.get("ignoreFields", ())),
        adopt=_annotated(document, "onggi/adopt"),
        protect=_annotated(document, "onggi/protect"),
        complete=tuple(filter(None, document.annotations.get("onggi/complete", "").replace(" ", "").split(","))),
        next_boot=next_boot,
    )


def _annotated(document: Document, name: str) -> bool:
    return str(document.annotations.get(name, "")).lower() == "true"
