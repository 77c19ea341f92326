"""Decides what leaves: objects that are ours and whose document is gone. The most careful part of planning.

Nothing is removed while the source is empty or unreadable, nothing whose document is merely broken, nothing that
isn't provably ours, nothing that something else still uses, and no volume unless its document said Delete.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from reconciler.bulkhead import Failure, contained
from reconciler.desired.identity import object_uid
from reconciler.observed.snapshot import Observed
from reconciler.planning.assessment import Assessment
from reconciler.planning.context import Context
from reconciler.planning.failed import failed
from reconciler.planning.guards import ALWAYS_ALLOWED, Leaving, is_approved, judged
from reconciler.planning.observing import is_observed
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Action, Blocked, Step
from reconciler.planning.rules import rules_of
from reconciler.planning.scopes import elsewhere, left_alone, left_behind
from reconciler.planning.still_in_use import in_use, users_after
from reconciler.planning.unread_documents import FILE_NOT_READ, unread_document
from reconciler.planning.virtualmachine.migration import MIGRATED
from reconciler.planning.why import why_volume_leaves
from specs.effect import Effect
from specs.reference import Ref
from specs.scope import Scope


@dataclass(frozen=True, slots=True)
class Removals:
    """What leaves. `records` are entries that the ledger has to hold before anything of it is done."""

    assessments: list[Assessment]
    notes: list[str]
    records: list[Owned]


def removals(context: Context, steps: Mapping[Ref, Step]) -> Removals:
    """An assessment for everything of ours that is no longer declared, and notes about what is held back as a whole.

    `steps` are those of what is declared.
    """
    staying = _Staying()
    candidates = sorted(_candidates(context, staying), key=lambda entry: entry.ref)
    notes = left_alone(staying.others, context) + staying.notes()
    kept_back = [Assessment(blocked=item) for item in staying.unread_document]
    if not candidates:
        return Removals(kept_back, notes, [])
    if not context.desired.prunable:
        names = ", ".join(str(entry.ref) for entry in candidates[:5])
        more = f" and {len(candidates) - 5} more" if len(candidates) > 5 else ""
        note = f"nothing is removed while the source holds no readable document; without them, {names}{more} would be"
        return Removals(kept_back, [*notes, note], [])
    present = {entry.ref: context.present_name(entry) for entry in candidates}
    leaving = frozenset(present.values())
    found = {entry.ref: assessment for entry in candidates if (assessment := _assess(entry, context, leaving, steps))}
    going = [
        Leaving(entry, present[entry.ref], assessment.step)
        for entry in candidates
        if _is_new_loss(entry) and (assessment := found.get(entry.ref)) is not None and assessment.step is not None
    ]
    verdict = judged(going, context)
    if verdict.waiting:
        found |= {item.ref: Assessment(blocked=item) for item in verdict.waiting}
        kept = {present[item.ref] for item in verdict.waiting}
        # A seed leaves with its last user, which stays for now.
        for entry in candidates:
            if entry.seed and context.users.get(entry.ref, frozenset()) & kept:
                found.pop(entry.ref, None)
    notes += _seeds_to_follow(candidates, found, context)
    revision = str(context.desired.revision)
    remembered = not verdict.waiting and (verdict.approved or len(going) > ALWAYS_ALLOWED)
    records = [_on_its_way(each.entry, revision) for each in going if remembered or is_approved(each.entry, context)]
    return Removals([*kept_back, *found.values()], notes, records)


def _seeds_to_follow(candidates: Iterable[Owned], found: Mapping[Ref, Assessment], context: Context) -> list[str]:
    """Says of each seed that goes once its machine has let go of it: no step of this plan stands for that."""
    return [
        f"{entry.ref} is deleted as soon as no machine has it: {why_volume_leaves(entry, context)}"
        for entry in candidates
        if entry.seed and entry.ref not in found
    ]


def contained_removals(context: Context, steps: Mapping[Ref, Step]) -> Removals:
    """The same; nothing is removed where the decision as a whole fails."""
    found = contained(
        "planning the removals", "the repository", str(context.desired.revision), removals, context, steps
    )
    return Removals([], [f"nothing is removed: {found.message}"], []) if isinstance(found, Failure) else found


def _is_new_loss(entry: Owned) -> bool:
    """False for what nobody misses: a seed, which is made again, and a volume that went into the trash before."""
    return not entry.seed and Fact.TRASHED not in entry.facts


def _on_its_way(entry: Owned, revision: str) -> Owned:
    return replace(entry, facts={**entry.facts, Fact.REMOVAL: revision})


def forgotten(context: Context) -> list[Ref]:
    """Entries of objects that are gone from the host and from the documents.

    They prove nothing any more, and must not claim what somebody makes under the same name later. What was only
    observed goes with its document: the object stays, and is nobody's again.
    """
    desired = context.desired
    if not desired.prunable:
        return []
    return [
        ref
        for ref in sorted(context.owned.keys() - desired.resources.keys())
        if contained("forgetting", ref, "", _is_forgotten, ref, context.owned[ref], context) is True
    ]


def _is_forgotten(ref: Ref, entry: Owned, context: Context) -> bool:
    desired, objects = context.desired, context.snapshot.objects
    return (
        ref not in context.snapshot.unseen
        and (_is_gone(entry, context) or is_observed(entry))
        and elsewhere(None, entry, context) is None
        and ref not in desired.held
        and entry.parent not in desired.held
        and not _is_held(entry.path, context)
        and unread_document(entry, desired) is None
        and ref not in context.suspended
        and ref not in context.away  # or nobody would know any more why its disks are left alone
        and all((holder := objects.get(each)) is not None and holder.active for each in ref.holders)
    )


def _is_gone(entry: Owned, context: Context) -> bool:
    """Under every name; one that has another, declared name has an entry for that."""
    present = context.present_name(entry)
    return present not in context.snapshot.objects or present in context.desired.resources


@dataclass(slots=True)
class _Staying:
    """What isn't declared and stays all the same: other scopes', and that whose documents nobody has removed."""

    others: list[tuple[Owned, Scope]] = field(default_factory=list)
    unread_document: list[Blocked] = field(default_factory=list)

    def notes(self) -> list[str]:
        """One for each file that isn't read any more."""
        return sorted({item.message for item in self.unread_document if item.reason == FILE_NOT_READ})


def _candidates(context: Context, staying: _Staying) -> Iterator[Owned]:
    """What is ours, not declared and may leave. What stays is put into `staying`."""
    desired, objects = context.desired, context.snapshot.objects
    undeclared = context.owned.keys() - desired.resources.keys()
    ledger = {ref: context.owned[ref] for ref in undeclared}
    for ref in objects.keys() - context.owned.keys() - desired.resources.keys():
        found = contained("finding its owner", ref, objects[ref].uid, _proven, objects[ref], context)
        if isinstance(found, Owned) and found.ref not in context.owned:
            ledger[found.ref] = found
    if not ledger:
        return  # nearly always; the rest looks at everything that is declared
    wanted_uids = {resource.uid for resource in desired.resources.values() if resource.uid}
    renamed = frozenset(context.renames.present.values())
    for ref, entry in ledger.items():
        key = str(desired.revision)
        leaves = contained(
            "finding out whether it leaves", ref, key, _leaves, entry, context, wanted_uids, renamed, staying
        )
        if isinstance(leaves, Failure):
            staying.unread_document.append(failed(ref, leaves, entry.path))
        elif leaves:
            yield entry


def _leaves(
    entry: Owned, context: Context, wanted_uids: Container[str], renamed: Container[Ref], staying: _Staying
) -> bool:
    desired, ref = context.desired, entry.ref
    present_ref = context.present_name(entry)
    present = context.snapshot.objects.get(present_ref)
    if present is None or ref in desired.held or ref in context.suspended or present_ref in context.suspended:
        return False
    if (scope := left_behind(present, entry, context)) is not None:
        staying.others.append((entry, scope))
        return False
    if entry.parent in desired.held or entry.parent in context.suspended:
        return False
    if _is_held(entry.path, context):
        return False  # its document may be the one that can't be read
    if is_observed(entry):
        return False  # nothing was ever done to it
    if present.uid != entry.uid or present.uid in wanted_uids:
        return False  # something else took the name, or it was renamed
    if not rules_of(ref.kind).may_leave(entry, context):
        return False
    if present_ref in renamed or present_ref in desired.resources:
        return False  # it is the same thing under another name
    if (aside := unread_document(entry, desired)) is not None:
        if entry.parent is None and not entry.seed:
            staying.unread_document.append(aside)
        return False
    return True


def _is_held(path: str, context: Context) -> bool:
    """True when the file can't be read, or lay in a folder that a link or a submodule has taken the place of."""
    held = context.desired.held_paths
    if not path:
        return bool(held or context.desired.held)
    return any(path == one or path.startswith(f"{one}/") for one in held)


def _proven(observed: Observed, context: Context) -> Owned | None:
    """Ours although the ledger doesn't know it: by its mark, which says this branch and folder.

    A UUID that only this repository derives doesn't say so much: another branch or folder of it may have the object.
    """
    mark, ref = observed.mark, observed.ref
    if mark is None or not mark.scope.said or not mark.scope.agrees(context.desired.scope):
        return None
    named = Ref(ref.kind, mark.name)
    # A copy that somebody made of the machine has its mark, and another UUID.
    is_it = named == ref or observed.uid == object_uid(mark.repository_id, named, "")
    return Owned(named, observed.uid) if is_it else None


def _assess(entry: Owned, context: Context, leaving: frozenset[Ref], steps: Mapping[Ref, Step]) -> Assessment | None:
    found = contained("planning its removal", entry.ref, entry.uid, _remove, entry, context, leaving, steps)
    return Assessment(blocked=failed(entry.ref, found, entry.path)) if isinstance(found, Failure) else found


def _remove(entry: Owned, context: Context, leaving: frozenset[Ref], steps: Mapping[Ref, Step]) -> Assessment | None:
    ref, present = entry.ref, context.present_name(entry)
    staying = [user for user in users_after(ref, steps, context) if user not in leaving]
    if staying:
        if entry.seed or entry.parent in staying:
            return None  # a seed goes with its last user; what keeps a machine's own disk is told with the machine
        return Assessment(blocked=in_use(ref, staying, entry.path))
    if entry.facts.get(Fact.PROTECT):
        message = (
            f"{ref} is protected by the annotation onggi/protect; to remove it, commit its document without the "
            "annotation first"
        )
        return Assessment(blocked=Blocked(ref, "Protected", message, entry.path))
    if (digest := context.away.get(ref)) is not None:
        message = (
            f"{ref} is no longer declared and was migrated to another host; with its definition here would go what "
            f"keeps its disks from being removed below it. If it runs nowhere else any more: onggi approve {digest}"
        )
        return Assessment(blocked=Blocked(ref, MIGRATED, message, entry.path, digest=digest))
    found = rules_of(ref.kind).removal(entry, present, context)
    if isinstance(found, Assessment):
        return found
    step = Step(
        ref=ref,
        action=Action.DELETE,
        why=found.why,
        effect=Effect.LIVE,
        operations=found.operations,
        after=context.users.get(ref, frozenset()),
        path=entry.path,
    )
    return Assessment(step=step)
