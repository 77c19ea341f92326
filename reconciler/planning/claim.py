"""Whose an object on the host is: ours, free to adopt, or somebody else's and never touched."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from reconciler.desired.identity import object_uid
from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.context import Context
from reconciler.planning.ownership import Owned
from reconciler.planning.plan import Blocked


class Claim(Enum):
    """The three answers that allow something to be done."""

    OURS = auto()
    ADOPT = auto()  # the document says so: it becomes ours with the first change


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer that doesn't."""

    reason: str
    message: str


def claim(resource: Resource, observed: Observed, context: Context) -> Claim | Refusal:
    """May this document change this object? The proofs are, in this order: the mark, the derived UUID, the ledger."""
    repository = context.desired.repository_id
    mark = observed.mark
    # Of another name but of the declared UUID: it is being renamed.
    ours = mark is not None and mark.repository_id == repository
    if ours and mark is not None and (mark.name == resource.ref.name or observed.uid == resource.uid):
        return Claim.OURS
    if mark is not None and mark.repository_id != repository and not resource.policy.adopt:
        return Refusal(
            "OwnedByOther",
            f"{resource.ref} on this host belongs to another repository ({mark.repository_id}); remove it there, "
            'rename this document, or take it over with the annotation onggi/adopt: "true"',
        )
    if observed.uid == object_uid(repository, resource.ref, ""):
        return Claim.OURS
    entry = context.owned.get(resource.ref)
    if entry is not None and entry.uid == observed.uid:
        return Claim.OURS
    if resource.policy.adopt:
        return Claim.ADOPT if _is_meant(resource, observed, repository) else _another(resource, observed)
    return Refusal(
        "OwnedByOther",
        f"{resource.ref} already exists on this host and isn't onggi's; rename this document, or take the existing one "
        'over with the annotation onggi/adopt: "true"',
    )


def _is_meant(resource: Resource, observed: Observed, repository: str) -> bool:
    """False for a document that says which object it means by its uid, where another one has the name."""
    derived = object_uid(repository, resource.ref, "")
    return resource.uid in (observed.uid, derived)


def _another(resource: Resource, observed: Observed) -> Refusal:
    return Refusal(
        "OwnedByOther",
        f"{resource.ref} on this host has the UUID {observed.uid}, not {resource.uid} as the document says: it is "
        "another one of the same name; rename one of the two, or correct the document's uid",
    )


def needs_no_mark_yet(observed: Observed, entry: Owned | None, answer: Claim) -> bool:
    """True for an object that is adopted and has no mark: adopting changes nothing, it comes with a real change."""
    return observed.mark is None and (answer is Claim.ADOPT or (entry is not None and not entry.created))


def taken_from(observed: Observed, context: Context) -> str:
    """The other repository to which an object belongs by its mark until this one takes it over; empty for none."""
    mark = observed.mark
    return mark.repository_id if mark is not None and mark.repository_id != context.desired.repository_id else ""


def blocked(resource: Resource, refusal: Refusal) -> Blocked:
    """A refusal as the plan shows it."""
    return Blocked(resource.ref, refusal.reason, refusal.message, resource.path, resource.line)
