"""Notices what a person most likely means by one machine that goes while one just like it comes: a new name for it.

Without the machine's `uid` in its document that is a deletion and something new, with new, empty disks. Nothing is
guessed: the plan stays what the documents say, and only tells how to say the other thing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from reconciler.bulkhead import Failure, contained
from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.context import Context
from reconciler.planning.diff import compare
from specs.problem import Unrenderable
from specs.reference import VIRTUAL_MACHINE, Ref
from specs.virtualmachine import KIND as MACHINES

_MOST_COMPARED: Final = 400
_NOT_ITSELF: Final = ("/title", "/description", "/icon")  # what people change together with a name


def rename_hints(coming: Collection[Ref], going: Collection[Ref], context: Context) -> Iterator[str]:
    """A sentence for each machine of `coming` that is like exactly one of `going`."""
    new = sorted(ref for ref in coming if ref.kind == VIRTUAL_MACHINE and ref in context.desired.resources)
    old = sorted(ref for ref in going if ref.kind == VIRTUAL_MACHINE and ref in context.snapshot.objects)
    if len(new) * len(old) > _MOST_COMPARED:
        return
    for ref in new:
        resource = context.desired.resources[ref]
        twins = [each for each in old if _alike(resource, context.snapshot.objects[each], context)]
        if len(twins) == 1:
            uid = context.snapshot.objects[twins[0]].uid
            yield (
                f"{ref} looks like {twins[0]}, which is to go: if it is the same one under a new name, write "
                f"`uid: {uid}` below the `metadata` of its document; then it is renamed, and keeps its disks"
            )


def _alike(resource: Resource, observed: Observed, context: Context) -> bool:
    found = contained("looking for renames", resource.ref, resource.digest, _is_alike, resource, observed, context)
    return not isinstance(found, Failure) and found


def _is_alike(resource: Resource, observed: Observed, context: Context) -> bool:
    """One that has a disk of the other, or differs in nothing but how its own new disks are called."""
    try:
        comparison = compare(resource, observed, context.snapshot.host)
    except Unrenderable:
        return False
    disks = MACHINES.lowered(comparison.lowered).get("disks") or ()
    missing = sum(change.pointer.startswith("/disks/") and change.old is None for change in comparison.config)
    if missing < len(disks):
        return True
    if len(disks) != len(MACHINES.lowered(observed.config).get("disks") or ()):
        return False
    return all(change.pointer.startswith(("/disks/", "/cdroms/", *_NOT_ITSELF)) for change in comparison.config)
