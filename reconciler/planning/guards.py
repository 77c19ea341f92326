"""Holds back a plan that would delete too much at once, until a person has said that it is meant.

A wrong path, a bad merge or a branch that was emptied looks just like somebody's wish to delete everything.
That no step takes a disk from its machine is looked at in `parting`.
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.planning.approval import NEEDS_APPROVAL, approval_digest
from reconciler.planning.context import Context
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Blocked

ALWAYS_ALLOWED = 3
ALLOWED_SHARE = 0.2

_NAMED = 5


def is_approved(entry: Owned, context: Context) -> bool:
    """True when this object's removal was approved for this revision, in this pass or an earlier one."""
    return entry.facts.get(Fact.REMOVAL) == str(context.desired.revision)


def too_many(leaving: Sequence[Owned], context: Context) -> list[Blocked]:
    """What of `leaving` waits for an approval: all of it, or nothing.

    A disk or a seed that leaves with its machine doesn't count by itself. What was approved before, and is still on its
    way out, neither counts nor waits.
    """
    counted = [entry for entry in leaving if not is_approved(entry, context)]
    objects = context.snapshot.objects
    ours = sum(entry.ref in objects and not _goes_along(entry) for entry in context.owned.values())
    number = sum(not _goes_along(entry) for entry in counted)
    if number <= max(ALWAYS_ALLOWED, ALLOWED_SHARE * ours):
        return []
    digest = removal_digest(counted, context)
    if digest in context.terms.approved:
        return []
    names = ", ".join(str(entry.ref) for entry in counted[:_NAMED])
    more = f" and {len(counted) - _NAMED} more" if len(counted) > _NAMED else ""
    message = (
        f"{number} of {ours} objects would be deleted at once ({names}{more}); if that is meant: onggi approve {digest}"
    )
    return [Blocked(entry.ref, NEEDS_APPROVAL, message, entry.path, digest=digest) for entry in counted]


def removal_digest(leaving: Sequence[Owned], context: Context) -> str:
    """What a person approves: this revision deletes these objects, as they are now."""
    objects = context.snapshot.objects
    return approval_digest("delete", str(context.desired.revision), [objects[entry.ref] for entry in leaving])


def _goes_along(entry: Owned) -> bool:
    return entry.seed or entry.parent is not None
