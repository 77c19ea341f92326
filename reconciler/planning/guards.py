"""Holds back a plan that would delete too much at once, until a person has said that it is meant.

A wrong path, a bad merge or a branch that was emptied looks just like somebody's wish to delete everything. On a small
host that is one machine: what counts is what would be left.
That no step takes a disk from its machine is looked at in `parting`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.bulkhead import contained
from reconciler.planning.approval import NEEDS_APPROVAL, approval_digest
from reconciler.planning.context import Context
from reconciler.planning.interruption import names
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Action, Blocked, Step
from reconciler.planning.rules import kinds_that, rules_of
from reconciler.planning.scopes import elsewhere
from specs.reference import Ref
from specs.registry import kinds

ALWAYS_ALLOWED = 3
ALLOWED_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Leaving:
    """One object of ours that would go: what the ledger says of it, what it is called now, and what would be done."""

    entry: Owned
    present: Ref
    step: Step

    @property
    def goes_along(self) -> bool:
        """True for a disk or a seed that leaves with its machine: it doesn't count by itself."""
        return self.entry.seed or self.entry.parent is not None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`waiting` waits for a person, all of it or nothing; `approved` is True when it was asked for and allowed."""

    waiting: list[Blocked]
    approved: bool = False


def is_approved(entry: Owned, context: Context) -> bool:
    """True when this object's removal was approved for this revision, or is a client's order."""
    ordered = context.options.ordered
    if entry.ref in ordered or entry.parent in ordered:
        return True
    return entry.facts.get(Fact.REMOVAL) == str(context.desired.revision)


def judged(leaving: Sequence[Leaving], context: Context) -> Verdict:
    """Whether all of this may go without a person's word.

    What was approved before, and is still on its way out, neither counts nor waits.
    """
    counted = [each for each in leaving if not is_approved(each.entry, context)]
    reasons = list(_reasons(counted, leaving, context))
    if not reasons:
        return Verdict([])
    digest = removal_digest(counted, context)
    if digest in context.options.approved:
        return Verdict([], approved=True)
    message = f"{'; '.join(reasons)}; if that is meant: onggi approve {digest}"
    return Verdict(
        [Blocked(each.entry.ref, NEEDS_APPROVAL, message, each.entry.path, digest=digest) for each in counted]
    )


def removal_digest(leaving: Sequence[Leaving], context: Context) -> str:
    """What a person approves: this revision deletes these objects, as they are now."""
    objects = context.snapshot.objects
    return approval_digest("delete", str(context.desired.revision), [objects[each.present] for each in leaving])


def _reasons(counted: Sequence[Leaving], leaving: Sequence[Leaving], context: Context) -> Iterator[str]:
    alone = [each for each in counted if not each.goes_along]
    if not alone:
        return
    gone = {each.present for each in leaving}
    ours = _ours(context) | {each.present for each in alone}
    number, deleted = len(alone), sum(each.step.action is Action.DELETE for each in alone)
    many = number > max(ALWAYS_ALLOWED, ALLOWED_SHARE * len(ours)) or (deleted and 2 * deleted >= len(ours))
    if many:
        yield f"{number} of {len(ours)} objects would be deleted at once ({_named(alone)})"
    for kind in kinds_that("purpose"):
        noun, going = kinds()[kind].noun, [each for each in alone if each.present.kind == kind]
        left = sum(ref.kind == kind for ref in ours - gone)
        if going and not left:
            yield f"no {noun} would be left" if many else f"no {noun} would be left without {_named(going)}"
        elif 1 < len(going) > left and not many:  # what there is beside them doesn't make it fewer
            yield f"more than half of the {noun}s would be deleted ({_named(going)})"
    for each in alone:
        users = sorted(user for user in context.users.get(each.present, ()) if user in gone)
        if rules_of(each.present.kind).cuts_off and users:
            yield f"{each.entry.ref} would be deleted together with what uses it ({names(users)})"
        if Fact.FOUND in each.entry.facts:
            yield (
                f"{each.entry.ref} was there before this state knew of it, and another branch or folder of the "
                "repository may declare it, too"
            )
    if context.desired.rewritten:
        yield (
            f"the history of {context.desired.revision.branch} was rewritten, {context.desired.rewritten[:12]} isn't "
            f"in it any more, and {_named(alone)} would be deleted"
        )


def _ours(context: Context) -> set[Ref]:
    """What there is of ours, without what goes along with a machine."""
    objects = context.snapshot.objects
    found = set()
    for entry in context.owned.values():
        ref = context.present_name(entry)
        if entry.seed or entry.parent is not None or ref not in objects:
            continue
        # One of which that can't be told isn't counted: the fewer there are, the sooner is asked.
        if contained("finding whose it is", ref, entry.uid, elsewhere, objects[ref], entry, context) is None:
            found.add(ref)
    for ref, resource in context.desired.resources.items():
        # Those that a lost ledger doesn't remember.
        if resource.uid and ref in objects and objects[ref].uid == resource.uid:
            found.add(ref)
    return found


def _named(leaving: Sequence[Leaving]) -> str:
    return names([each.entry.ref for each in leaving])
