"""Which virtual machines use which volumes, from a snapshot of the host alone.

Unlike a pass's own look at uses, nothing declared counts here, and a machine uses what its disks are backed by too:
this is for who is asked to wipe, shrink, delete or hand out a volume.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType

from reconciler.bulkhead import Failure, contained
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.mentions import mentioned
from reconciler.planning.virtualmachine.used import drive_volumes
from specs.reference import STORAGE_VOLUME, VIRTUAL_MACHINE, Ref
from specs.virtualmachine import KIND as MACHINES


@lru_cache(maxsize=2)
def users_of(snapshot: Snapshot) -> Mapping[Ref, tuple[Ref, ...]]:
    """For each volume that any uses: the VMs, by name. By disk or CD-ROM, running or only defined, or as a base image.

    The same snapshot gives the same mapping again at no cost.
    """
    volume_at = {source.path: ref for ref, source in snapshot.host.volumes.items()}
    for ref, observed in snapshot.objects.items():
        if ref.kind == STORAGE_VOLUME and (path := observed.details.get("path")):
            volume_at.setdefault(str(path), ref)
    found: dict[Ref, set[Ref]] = {}
    for ref, observed in snapshot.objects.items():
        if ref.kind == VIRTUAL_MACHINE:
            key = (observed.xml, observed.live_xml)
            used = contained("finding its volumes", ref, key, _used, observed, snapshot, volume_at)
            if isinstance(used, Failure):
                used = {each for each in mentioned(observed, snapshot.host.volumes, iter(())) if each.pool}
            for each in used:
                found.setdefault(each, set()).add(ref)
    return MappingProxyType({volume: tuple(sorted(users)) for volume, users in found.items()})


def _used(machine: Observed, snapshot: Snapshot, volume_at: Mapping[str, Ref]) -> set[Ref]:
    return {each for volume in _sources(machine, volume_at) for each in _chain(volume, snapshot, volume_at)}


def _sources(machine: Observed, volume_at: Mapping[str, Ref]) -> Iterator[Ref]:
    for spec in filter(None, (machine.config, machine.live)):
        yield from drive_volumes(MACHINES.lowered(spec), volume_at)


def _chain(volume: Ref, snapshot: Snapshot, volume_at: Mapping[str, Ref]) -> Iterator[Ref]:
    """A volume and all that it is backed by, each once: a header can name its own image."""
    seen: set[Ref] = set()
    above: Ref | None = volume
    while above is not None and above not in seen:
        seen.add(above)
        yield above
        observed = snapshot.get(above)
        above = volume_at.get(str(observed.details.get("backing") or "")) if observed is not None else None
