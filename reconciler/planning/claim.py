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
from reconciler.planning.scopes import SCOPE_CHANGED, is_moved, move_digest, scope_of
from specs.scope import Scope


class Claim(Enum):
    """The answers that allow something to be done."""

    OURS = auto()
    MOVED = auto()  # another branch or folder had it, and a person has said that this one takes over
    ADOPT = auto()  # the document says so: it becomes ours with the first change


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer that doesn't."""

    reason: str
    message: str
    digest: str = ""  # what a person may approve


def claim(resource: Resource, observed: Observed, context: Context) -> Claim | Refusal:
    """May this document change this object? The proofs are, in this order: the mark, the ledger, the derived UUID."""
    repository = context.desired.repository_id
    mark, entry = observed.mark, context.owned.get(resource.ref)
    found = scope_of(observed, entry)
    if found is not None and found.repository_id != repository and not resource.policy.adopt:
        return _of_another_repository(resource, found)
    # Of another name but of the declared UUID: it is being renamed.
    marked = mark is not None and mark.repository_id == repository
    if marked and mark is not None and (mark.name == resource.ref.name or observed.uid == resource.uid):
        return _in_scope(resource, found, context)
    if observed.uid == object_uid(repository, resource.ref, ""):
        return _in_scope(resource, found, context)
    if entry is not None and entry.uid == observed.uid:
        return _in_scope(resource, found, context)
    if resource.policy.adopt:
        return Claim.ADOPT if _is_meant(resource, observed, repository) else _another(resource, observed)
    return Refusal(
        "OwnedByOther",
        f"{resource.ref} already exists on this host and isn't onggi's; rename this document, or take the existing one "
        'over with the annotation onggi/adopt: "true"',
    )


def claim_volume(resource: Resource, observed: Observed, context: Context) -> Refusal | None:
    """Why this document has no say in a volume that another scope has by the ledger, the one who knows; else None."""
    found = scope_of(observed, context.owned.get(resource.ref))
    if found is None:
        return None
    if found.repository_id != context.desired.repository_id:
        return None if resource.policy.adopt else _of_another_repository(resource, found)
    answer = _in_scope(resource, found, context)
    return answer if isinstance(answer, Refusal) else None


def _in_scope(resource: Resource, found: Scope | None, context: Context) -> Claim | Refusal:
    """It is this repository's; but of this branch and folder?"""
    here = context.desired.scope
    if found is None or found.repository_id != here.repository_id or found.agrees(here):
        return Claim.OURS
    return Claim.MOVED if is_moved(found, context) else scope_changed(resource, found, context)


def scope_changed(resource: Resource, found: Scope, context: Context) -> Refusal:
    """The refusal of what another branch or folder of the repository has, with the word that moves it."""
    digest, here = move_digest(found, context), context.desired.scope
    message = (
        f"{resource.ref} belongs to {found.beside(here)}, and what is read here is {here.beside(found)}; choose that "
        f"branch and path again, or if all that is declared here is to move: onggi approve {digest}"
    )
    return Refusal(SCOPE_CHANGED, message, digest)


def _of_another_repository(resource: Resource, found: Scope) -> Refusal:
    return Refusal(
        "OwnedByOther",
        f"{resource.ref} on this host belongs to another repository ({found.repository_id}); remove it there, "
        'rename this document, or take it over with the annotation onggi/adopt: "true". If that is the id of this '
        "repository, put its onggi.yaml back",
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
    return Blocked(resource.ref, refusal.reason, refusal.message, resource.path, resource.line, refusal.digest)
