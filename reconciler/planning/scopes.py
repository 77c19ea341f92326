"""Whose an object is among those who read the same repository, or who share one state: told by branch and folder.

The mark in the object outranks the ledger; kinds that libvirt keeps no metadata for have only the ledger. What another
scope has is left alone. It changes hands by a person's word, which moves only what is declared here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reconciler.observed.snapshot import Observed
from reconciler.planning.approval import approval_digest
from reconciler.planning.assessment import Assessment
from reconciler.planning.context import Context
from reconciler.planning.interruption import names
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.rules import rules_of
from specs.reference import Ref
from specs.scope import Scope

SCOPE_CHANGED = "ScopeChanged"


def scope_of(observed: Observed | None, entry: Owned | None) -> Scope | None:
    """Where the document of an object is, or was; None when nobody says so. `entry` counts if it is of this object."""
    known = entry.scope if entry is not None and (observed is None or entry.uid == observed.uid) else None
    if observed is None or observed.mark is None:
        return known
    return observed.mark.scope.completed(known)


def elsewhere(observed: Observed | None, entry: Owned | None, context: Context) -> Scope | None:
    """The scope that an object belongs to when that isn't the present one, and it wasn't moved here; else None."""
    found = scope_of(observed, entry)
    if found is None or found.agrees(context.desired.scope) or is_moved(found, context):
        return None
    return found


def is_moved(found: Scope, context: Context) -> bool:
    """True when a person has said that the present scope takes over from this one, at this revision."""
    same_repository = found.repository_id == context.desired.repository_id
    return same_repository and move_digest(found, context) in context.options.approved


def move_digest(found: Scope, context: Context) -> str:
    """What a person approves: at this revision the present scope takes over what it declares of another one."""
    subject = f"scope {found.to_text()} {context.desired.scope.to_text()}"
    return approval_digest(subject, str(context.desired.revision), ())


def in_scope(assessment: Assessment, context: Context) -> Assessment:
    """The same, with what the ledger is to hold saying where the document is. What is blocked stays with whom it is."""
    if assessment.record is None and (assessment.step is None or assessment.step.owned is None):
        return assessment
    step, record = assessment.step, assessment.record
    if step is not None and step.owned is not None:
        step = replace(step, owned=_placed(step.owned, context))
    return replace(assessment, step=step, record=_placed(record, context) if record is not None else None)


def _placed(entry: Owned, context: Context) -> Owned:
    facts = {**entry.facts, Fact.SCOPE.value: context.scope_text}
    if blob := context.desired.blobs.get(entry.path):
        facts[Fact.BLOB.value] = blob
    if _was_found(entry, context):
        facts[Fact.FOUND.value] = "yes"
    placed, known = replace(entry, facts=facts), context.owned.get(entry.ref)
    return known if known == placed else placed  # in memory once: assessments are remembered


def _was_found(entry: Owned, context: Context) -> bool:
    """True for what nothing but its UUID says to be ours: the state was lost, or another scope declares it, too."""
    if (known := context.owned.get(entry.ref)) is not None:
        return Fact.FOUND in known.facts
    observed = context.snapshot.get(entry.ref) if not rules_of(entry.ref.kind).always_marked else None
    return observed is not None and observed.mark is None and bool(observed.uid) and entry.created


def left_behind(observed: Observed, entry: Owned, context: Context) -> Scope | None:
    """As `elsewhere`, of what isn't declared here: it moves along only into a scope that would hold its document."""
    found = scope_of(observed, entry)
    if found is None or found.agrees(context.desired.scope):
        return None
    return None if context.desired.scope.holds(found) and is_moved(found, context) else found


def left_alone(others: Iterable[tuple[Owned, Scope]], context: Context) -> list[str]:
    """A note for each scope whose objects are in this state, too, and aren't looked for in the present documents."""
    by_scope: dict[Scope, list[Ref]] = {}
    for entry, scope in others:
        if entry.parent is None and not entry.seed:
            by_scope.setdefault(scope, []).append(entry.ref)
    return [_note(scope, sorted(refs), context) for scope, refs in sorted(by_scope.items(), key=lambda item: str(item))]


def _note(scope: Scope, refs: list[Ref], context: Context) -> str:
    here = context.desired.scope
    note = (
        f"left alone: {names(refs)} in this state belong to {scope.beside(here)}, and what is read here is "
        f"{here.beside(scope)}; read that one again, or give this one another folder with --state"
    )
    if here.holds(scope):
        note += f"; if this one is to take them over: onggi approve {move_digest(scope, context)}"
    return note
