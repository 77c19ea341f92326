"""Finds out what is declared under another name than it has: a rename, not a deletion and something new.

A VM is the same as long as its document keeps its `uid`. The disks that it brought along are called after it and
follow. All of it is told from the host alone, so that a rename that was cut off anywhere goes on. One that somebody
renamed on the host is found by its UUID, too; its disks have kept their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.desired.state import DesiredState
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.ownership import Owned
from specs.reference import STORAGE_VOLUME, VIRTUAL_MACHINE, Ref


@dataclass(frozen=True, slots=True)
class Renames:
    """`formerly` has every VM and disk of a rename under its declared name, with the name that it had; `present` those
    of them that still have it. Those VMs whose documents have kept their names were renamed `by_hand`.
    """

    present: Mapping[Ref, Ref]
    formerly: Mapping[Ref, Ref]
    by_hand: frozenset[Ref] = frozenset()

    def marked_name(self, ref: Ref) -> str:
        """The name in the mark of a VM that is called `ref` now: its document's, when that never was another one."""
        declared = (new for new, old in self.present.items() if old == ref and new in self.by_hand)
        return next(declared, ref).name

    def entries(self, owned: Mapping[Ref, Owned], snapshot: Snapshot) -> dict[Ref, Owned]:
        """What the ledger holds under former names, under the declared ones. Not where both names are taken."""
        return {
            ref: Owned(ref, entry.uid, entry.path, entry.deletion, entry.parent, entry.created, entry.seed, entry.facts)
            for ref, old in self.formerly.items()
            if ref not in owned
            and (entry := owned.get(old)) is not None
            and (ref in self.present or (ref in snapshot.objects and old not in snapshot.objects))
        }


def find_renames(
    desired: DesiredState, snapshot: Snapshot, by_uid: Mapping[str, Ref], owned: Mapping[Ref, Owned]
) -> Renames:
    """The renames that one revision asks for, and those that aren't finished."""
    objects = snapshot.objects
    formerly: dict[Ref, Ref] = {}
    by_hand: set[Ref] = set()
    for ref, resource in desired.resources.items():
        if ref.kind != VIRTUAL_MACHINE or not resource.uid:
            continue
        present = by_uid.get(resource.uid)
        if present is None and ref not in objects and (entry := owned.get(ref)) is not None:
            present = by_uid.get(entry.uid)  # adopted: its document doesn't say which UUID it has
        if present is None or present.kind != VIRTUAL_MACHINE:
            continue
        if present == ref:
            # Renamed already; its mark keeps the old name until its disks have followed.
            mark = objects[ref].mark
            if mark is not None and mark.repository_id == desired.repository_id and mark.name != ref.name:
                formerly[ref] = Ref(VIRTUAL_MACHINE, mark.name)
        elif ref not in objects and present not in desired.resources:
            formerly[ref] = present
            if _by_hand(ref, objects[present], desired, owned):
                by_hand.add(ref)
    if not formerly:
        return Renames({}, {})
    for ref, resource in desired.resources.items():
        parent = resource.parent
        if parent is None or parent not in formerly or parent in by_hand:
            continue
        if ref.kind != STORAGE_VOLUME or resource.has_content:
            continue
        old = Ref.volume(ref.pool, formerly[parent].name + ref.short_name.removeprefix(parent.name))
        if old not in desired.resources:
            formerly[ref] = old
    present_names = {ref: old for ref, old in formerly.items() if ref not in objects and old in objects}
    return Renames(present_names, formerly, frozenset(by_hand))


def _by_hand(ref: Ref, present: Observed, desired: DesiredState, owned: Mapping[Ref, Owned]) -> bool:
    """True when the document has the name that it always had."""
    mark = present.mark
    if mark is not None and mark.repository_id == desired.repository_id:
        return mark.name == ref.name
    return ref in owned and present.ref not in owned
