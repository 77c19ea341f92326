"""Which objects of a host get a document, and a sentence for each that gets none.

Volumes that a VM writes to are declared; what they are backed by, and the images in CD-ROM drives, are only referred
to: whoever has a document owns the thing, and those are often shared with what isn't onggi's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from reconciler.bulkhead import Failure, contained
from reconciler.exporting.draft import KINDS, Draft, Surroundings
from reconciler.observed.snapshot import Observed
from specs.name import name_problem
from specs.reference import STORAGE_VOLUME, VIRTUAL_MACHINE, Ref
from specs.virtualmachine.cdroms import SEED_PREFIX


@dataclass(frozen=True, slots=True)
class Choice:
    """What is exported, in the order of kinds and names, and why the rest isn't."""

    chosen: tuple[Observed, ...]
    notes: tuple[str, ...]


def choose(around: Surroundings, *, all_volumes: bool = False, declared: Mapping[Ref, str]) -> Choice:
    """Machines, pools and networks. `declared` tells the file of what has a document already."""
    chosen: list[Observed] = []
    notes: list[str] = list(around.snapshot.skipped)
    for ref, observed in sorted(around.snapshot.objects.items()):
        if ref.kind == STORAGE_VOLUME or ref.kind not in KINDS:
            continue
        if ref in declared:
            notes.append(f"{ref} is declared in {declared[ref]} already")
        elif reason := _contained(_unfit, ref, observed):
            notes.append(f"{ref} {reason}")
        else:
            chosen.append(observed)
    for ref in sorted(_volumes(chosen, around, all_volumes=all_volumes)):
        if ref in declared:
            continue
        if reason := name_problem(ref.short_name) or name_problem(ref.pool):
            notes.append(f"{ref} gets no document: {reason}")
        else:
            chosen.append(around.snapshot.objects[ref])
    return Choice(tuple(chosen), tuple(notes))


def _contained(check: Callable[[Ref, Observed], str], ref: Ref, observed: Observed) -> str:
    found = contained("exporting", ref, observed.xml, check, ref, observed)
    return f"gets no document: {found.message}" if isinstance(found, Failure) else found


def _unfit(ref: Ref, observed: Observed) -> str:
    """Why an object can't have a document; empty when it can."""
    if problem := name_problem(ref.name):
        return f"gets no document: {problem}"
    if not observed.persistent:
        return "is transient, gone as soon as it stops, and gets no document; define it persistently first"
    if observed.mark is not None:
        return f"belongs to the repository {observed.mark.repository_id}, whose documents describe it"
    return ""


def _volumes(machines: Iterable[Observed], around: Surroundings, *, all_volumes: bool) -> set[Ref]:
    objects = around.snapshot.objects
    found: set[Ref] = set()
    for machine in machines:
        if machine.ref.kind == VIRTUAL_MACHINE:
            disks = contained("finding its disks", machine.ref, machine.xml, _disks, machine, around)
            found.update(() if isinstance(disks, Failure) else disks)
    if all_volumes:
        found.update(ref for ref in objects if ref.kind == STORAGE_VOLUME)
    backing = {str(each.details.get("backing") or "") for each in objects.values()}

    def wanted(ref: Ref) -> bool:
        return _is_declarable(ref, objects[ref], around) and _path(ref, around) not in backing

    return {ref for ref in found if contained("exporting", ref, objects[ref].xml, wanted, ref) is True}


def _disks(machine: Observed, around: Surroundings) -> list[Ref]:
    volumes = (around.volume_of(disk.get("source") or {}) for disk in machine.config.get("disks", ()))
    return [ref for ref in volumes if ref is not None and ref in around.snapshot.objects]


def _is_declarable(ref: Ref, observed: Observed, around: Surroundings) -> bool:
    place = around.host.volumes.get(ref)
    image = observed.config.get("format") == "iso" or ref.short_name.lower().endswith(".iso")
    seed = ref.short_name.startswith(SEED_PREFIX)
    return place is not None and place.type in ("file", "block") and not image and not seed


def _path(ref: Ref, around: Surroundings) -> str:
    return around.host.volumes[ref].path


def leave_shared_disks(drafts: Iterable[Draft]) -> None:
    """Take out of the drafts, in place, what several machines write to: a document gives a volume to one of them."""
    users: dict[str, list[Draft]] = {}
    writers: set[str] = set()
    for draft in drafts:
        for disk in draft.spec.get("disks", ()):
            users.setdefault(disk["volume"], []).append(draft)
            if not disk.get("readOnly"):
                writers.add(disk["volume"])
    for name, sharing in users.items():
        if len(sharing) < 2 or name not in writers:
            continue
        for draft in sharing:
            others = ", ".join(sorted({str(other.ref) for other in sharing if other is not draft}))
            if others:
                draft.left.append(f"the disk {name}, which {others} has too")
                draft.spec["disks"] = [disk for disk in draft.spec["disks"] if disk["volume"] != name]
                if not draft.spec["disks"]:
                    del draft.spec["disks"]
