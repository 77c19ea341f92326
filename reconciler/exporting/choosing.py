"""Which objects of a host get a document, and a sentence for each that gets none.

Volumes that a VM writes to are declared; what they are backed by, and the images in CD-ROM drives, are only referred
to: whoever has a document owns the thing, and those are often shared with what isn't onggi's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from reconciler.bulkhead import Failure, contained
from reconciler.exporting.draft import Draft, Surroundings
from reconciler.observed.snapshot import Observed
from specs.name import name_problem
from specs.reference import NETWORK, Ref
from specs.registry import described
from specs.storagevolume import KIND as VOLUMES
from specs.virtualmachine import KIND as MACHINES
from specs.virtualmachine.storage.cdroms import SEED_PREFIX
from specs.virtualmachine.storage.named_sources import disk_name, writes_alone


@dataclass(frozen=True, slots=True)
class Choice:
    """What is exported, in the order of kinds and names, and why the rest isn't."""

    chosen: tuple[Observed, ...]
    notes: tuple[str, ...]


def choose(
    around: Surroundings,
    *,
    all_volumes: bool = False,
    declared: Mapping[Ref, str],
    foreign: Mapping[Ref, str],
    wanted: Collection[Ref] = (),
) -> Choice:
    """Machines, pools and networks, or only `wanted` ones and what they need. `declared` tells the file of what has a
    document already, `foreign` whose an object is that isn't to be taken.
    """
    chosen: list[Observed] = []
    objects = around.snapshot.objects
    notes: list[str] = [] if wanted else list(around.snapshot.skipped)
    asked_for = _with_what_they_need(wanted, around)
    notes += [f"{ref} isn't on this host; check the kind and the name" for ref in wanted if ref not in objects]
    for ref, observed in sorted(objects.items()):
        if described(ref.kind).holds_data or (wanted and ref not in asked_for):
            continue
        if ref in declared:
            notes.append(f"{ref} is declared in {declared[ref]} already")
        elif reason := _contained(_unfit, ref, observed) or foreign.get(ref):
            notes.append(f"{ref} {reason}{_left_to_it(ref, foreign)}")
        else:
            chosen.append(observed)
    volumes = _volumes(chosen, around, all_volumes=all_volumes)
    for ref in sorted(volumes | _declarable(set(wanted), around)):
        if ref in declared:
            continue
        if reason := name_problem(ref.short_name) or name_problem(ref.pool):
            notes.append(f"{ref} gets no document: {reason}")
        elif ref in foreign:
            notes.append(f"{ref} {foreign[ref]}{_left_to_it(ref, foreign)}")
        else:
            chosen.append(objects[ref])
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
    return ""


def _left_to_it(ref: Ref, foreign: Mapping[Ref, str]) -> str:
    return "; it is left to it (--foreign exports it too)" if ref in foreign else ""


def _with_what_they_need(wanted: Collection[Ref], around: Surroundings) -> frozenset[Ref]:
    """These, and the networks and pools that they are on."""
    found = set(wanted)
    for ref in wanted:
        observed = around.snapshot.get(ref)
        if observed is not None:
            needs = contained("finding what it needs", ref, observed.xml, _needs, observed, around)
            found.update(() if isinstance(needs, Failure) else needs)
    return frozenset(found)


def _needs(observed: Observed, around: Surroundings) -> list[Ref]:
    return list(_needed(observed, around))


def _needed(observed: Observed, around: Surroundings) -> Iterator[Ref]:
    yield from observed.ref.holders
    if not described(observed.ref.kind).has_guest:
        return
    config = MACHINES.lowered(observed.config)
    for interface in config.get("interfaces", ()):
        if interface.get("network"):
            yield Ref(NETWORK, str(interface["network"]))
    for drive in (*config.get("disks", ()), *config.get("cdroms", ()), *config.get("floppies", ())):
        volume = around.volume_of(drive.get("source") or {})
        if volume is not None:
            yield from volume.holders


def _volumes(machines: Iterable[Observed], around: Surroundings, *, all_volumes: bool) -> set[Ref]:
    objects = around.snapshot.objects
    found: set[Ref] = set()
    for machine in machines:
        if described(machine.ref.kind).has_guest:
            disks = contained("finding its disks", machine.ref, machine.xml, disks_of, machine, around)
            found.update(() if isinstance(disks, Failure) else disks)
    if all_volumes:
        found.update(ref for ref in objects if described(ref.kind).holds_data)
    backing = {str(each.details.get("backing") or "") for each in objects.values()}

    def stands_alone(ref: Ref) -> bool:
        return _path(ref, around) not in backing

    chosen = _declarable(found, around)
    return {ref for ref in chosen if contained("exporting", ref, objects[ref].xml, stands_alone, ref) is True}


def _declarable(refs: Iterable[Ref], around: Surroundings) -> set[Ref]:
    objects = around.snapshot.objects
    volumes = (objects[ref] for ref in refs if described(ref.kind).holds_data and ref in objects)
    return {
        each.ref
        for each in volumes
        if contained("exporting", each.ref, each.xml, _is_declarable, each.ref, each, around) is True
    }


def disks_of(machine: Observed, around: Surroundings) -> list[Ref]:
    """The volumes of a machine's disks, as far as they are known."""
    disks = MACHINES.lowered(machine.config).get("disks", ())
    volumes = (around.volume_of(disk.get("source") or {}) for disk in disks)
    return [ref for ref in volumes if ref is not None and ref in around.snapshot.objects]


def _is_declarable(ref: Ref, observed: Observed, around: Surroundings) -> bool:
    place = around.host.volumes.get(ref)
    image = VOLUMES.lowered(observed.config).get("format") == "iso" or ref.short_name.lower().endswith(".iso")
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
            users.setdefault(disk_name(disk), []).append(draft)
            if writes_alone(disk):
                writers.add(disk_name(disk))
    for name, sharing in users.items():
        if len(sharing) < 2 or name not in writers:
            continue
        for draft in sharing:
            others = ", ".join(sorted({str(other.ref) for other in sharing if other is not draft}))
            if others:
                draft.left.append(f"the disk {name}, which {others} has too")
                draft.spec["disks"] = [disk for disk in draft.spec["disks"] if disk_name(disk) != name]
                if not draft.spec["disks"]:
                    del draft.spec["disks"]
