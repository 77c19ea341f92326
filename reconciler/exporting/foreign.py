"""Whose an object on a host is, as far as anything there or in the state folder tells: another repository's objects
aren't exported as if they were free.

libvirt keeps a mark for machines alone. Of pools and networks the UUID tells, which onggi derives from the repository,
and of volumes the machine that uses them; what an agent on this host keeps stands in its state folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.bulkhead import Failure, contained
from reconciler.desired.identity import object_uid
from reconciler.exporting.choosing import disks_of
from reconciler.exporting.draft import Surroundings
from reconciler.observed.snapshot import Observed
from reconciler.planning.ownership import Owned
from reconciler.planning.rules import rules_of
from specs.reference import Ref
from specs.registry import described


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of owners beside the host itself: which repository asks, and what an agent's state folder says."""

    repository_id: str
    owned: Mapping[Ref, Owned] = field(default_factory=dict)
    state: str = ""  # where that is from


def owners(around: Surroundings, known: Known) -> dict[Ref, str]:
    """For each object that isn't this repository's and isn't free: a half-sentence that says whose it is."""
    objects = around.snapshot.objects
    marked = {seen.mark.repository_id for seen in objects.values() if seen.mark is not None}
    repositories = sorted(marked - {known.repository_id})
    found: dict[Ref, str] = {}
    for ref, seen in objects.items():
        if seen.mark is not None and seen.mark.repository_id != known.repository_id:
            found[ref] = f"belongs to the repository {seen.mark.repository_id}"
            if described(ref.kind).has_guest:
                disks = contained("finding its disks", ref, seen.xml, disks_of, seen, around)
                for volume in () if isinstance(disks, Failure) else disks:
                    found.setdefault(volume, f"is a disk of {ref}, which {found[ref]}")
        elif seen.uid and not rules_of(ref.kind).always_marked:
            owner = next((each for each in repositories if object_uid(each, ref, "") == seen.uid), None)
            if owner is not None:
                found[ref] = f"belongs to the repository {owner}"
    for ref, entry in known.owned.items():
        there = objects.get(ref)
        if there is not None and entry.uid == there.uid and not _is_ours(there, known):
            found.setdefault(ref, f"is kept by the agent whose state is in {known.state}")
    return found


def _is_ours(seen: Observed, known: Known) -> bool:
    by_mark = seen.mark is not None and seen.mark.repository_id == known.repository_id
    return by_mark or (bool(seen.uid) and seen.uid == object_uid(known.repository_id, seen.ref, ""))
