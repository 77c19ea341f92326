"""The host as it will be: the observed one, and the pools and volumes that are declared.

What is asked for it pass after pass is remembered for as long as nothing that it is made of has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from operator import is_

from reconciler.bulkhead import contained
from reconciler.desired.state import DesiredState, Resource
from reconciler.observed.snapshot import Snapshot
from reconciler.planning.ownership import Fact, Owned
from specs.host import Host, VolumeSource
from specs.reference import STORAGE_POOL, STORAGE_VOLUME, Ref
from specs.storagepool import KIND as POOLS
from specs.storagepool.types import OF_FILES
from specs.storagepool.xml import target_path
from specs.storagevolume import KIND as VOLUMES
from specs.storagevolume.model import told_format


@dataclass(frozen=True, slots=True)
class _Known:
    """What a host was made of, and the host."""

    storage: tuple[Resource, ...]
    entries: tuple[Owned | None, ...]  # of these
    observed: Host
    overlays: Mapping[str, tuple[str, ...]]
    host: Host

    def is_of(
        self,
        storage: tuple[Resource, ...],
        entries: tuple[Owned | None, ...],
        observed: Host,
        overlays: Mapping[str, tuple[str, ...]],
    ) -> bool:
        """True when it was made of the very same; what is of another make may be equal all the same."""
        return (
            self.observed is observed
            and len(self.storage) == len(storage)
            and all(map(is_, self.storage, storage))
            and all(map(is_, self.entries, entries))
            and self.overlays == overlays
        )


class ProjectedHosts:
    """The last answer, for as long as it is the answer: whatever is made of the host may be remembered with it."""

    def __init__(self) -> None:
        self._known: _Known | None = None

    def __call__(self, desired: DesiredState, snapshot: Snapshot, owned: Mapping[Ref, Owned]) -> Host:
        """As `foreseen`."""
        storage = tuple(_storage(desired))
        entries = tuple(owned.get(resource.ref) for resource in storage)
        overlays = _overlays(desired, snapshot, owned)
        known = self._known
        if known is not None and known.is_of(storage, entries, snapshot.host, overlays):
            return known.host
        host = _foreseen(storage, snapshot.host, owned, overlays)
        if known is not None and known.host == host:
            host = known.host
        self._known = _Known(storage, entries, snapshot.host, overlays, host)
        return host


def foreseen(desired: DesiredState, snapshot: Snapshot, owned: Mapping[Ref, Owned]) -> Host:
    """The observed host plus the pools and volumes that are declared. Depends on no other resources than on those."""
    return _foreseen(tuple(_storage(desired)), snapshot.host, owned, _overlays(desired, snapshot, owned))


def _foreseen(
    storage: tuple[Resource, ...],
    observed: Host,
    owned: Mapping[Ref, Owned],
    overlays: Mapping[str, tuple[str, ...]],
) -> Host:
    paths = dict(observed.pool_paths)
    volumes = dict(observed.volumes)
    for resource in storage:
        ref = resource.ref
        if ref.kind == STORAGE_POOL and ref.name not in paths and POOLS.declared(resource.spec).get("type") in OF_FILES:
            path = contained(
                "finding its folder", ref, resource.digest, target_path, POOLS.declared(resource.spec), ref.name
            )
            if isinstance(path, str):
                paths[ref.name] = path
    for resource in storage:
        ref = resource.ref
        if ref.kind != STORAGE_VOLUME:
            continue
        known, folder = volumes.get(ref), paths.get(ref.pool)
        source = contained("finding its place", ref, resource.digest, _place, resource, known, folder, owned.get(ref))
        if isinstance(source, VolumeSource):
            volumes[ref] = source
    return replace(observed, pool_paths=paths, volumes=volumes, overlays=overlays)


def _storage(desired: DesiredState) -> list[Resource]:
    return [each for ref, each in desired.resources.items() if ref.kind == STORAGE_VOLUME or ref.kind == STORAGE_POOL]


def _overlays(desired: DesiredState, snapshot: Snapshot, owned: Mapping[Ref, Owned]) -> Mapping[str, tuple[str, ...]]:
    """The files of snapshots, by what lies below them: neither declared nor ours, unlike a machine's own disk
    above its base.
    """
    found: dict[str, tuple[str, ...]] = {}
    for ref, seen in snapshot.objects.items():
        if ref.kind != STORAGE_VOLUME or ref in desired.resources or ref in owned:
            continue
        if below := str(seen.details.get("backing") or ""):
            found[below] = (*found.get(below, ()), str(seen.details.get("path") or ""))
    return found


def _place(
    resource: Resource, known: VolumeSource | None, folder: str | None, entry: Owned | None
) -> VolumeSource | None:
    """Where a declared volume is or will be; None where that can't be known yet."""
    if known is None:
        path = f"{folder.rstrip('/')}/{resource.ref.short_name}" if folder else ""
        return VolumeSource(path, "file", future_format(resource)) if path else None
    # libvirt looks into the bytes. They are the guest's: with a header of its own making it could make
    # QEMU open any file of the host as soon as its machine is defined anew. And an image that is only
    # being written looks raw: a machine defined then would read and write its headers as data.
    certain = _certain_format(resource, entry, in_folder=folder is not None) or known.format
    return known if certain == known.format else replace(known, format=certain)


def _certain_format(resource: Resource, entry: Owned | None, *, in_folder: bool) -> str | None:
    """The image format of a volume that needs no look at its bytes; None when only they can tell."""
    future = future_format(resource)
    source = VOLUMES.declared(resource.spec).get("source")
    if source and not VOLUMES.declared(resource.spec).get("format"):  # what it was taken for when it was made
        told = told_format(resource.ref.short_name, source) if in_folder else None
        return told or (entry.facts.get(Fact.FORMAT) if entry is not None else None) or "raw"
    made_empty = entry is not None and entry.created and not source
    return future if VOLUMES.declared(resource.spec).get("format") or future == "raw" or made_empty else None


def future_format(resource: Resource) -> str:
    """The image format that a declared volume will have in a pool of files; what is written stays raw unless said."""
    declared = VOLUMES.declared(resource.spec).get("format")
    if declared:
        return str(declared)
    if resource.has_content:
        return "raw"
    return told_format(resource.ref.short_name, VOLUMES.declared(resource.spec).get("source")) or "qcow2"
