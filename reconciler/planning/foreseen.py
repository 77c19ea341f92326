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
from specs.storagevolume.model import told_format


@dataclass(frozen=True, slots=True)
class _Known:
    """What a host was made of, and the host."""

    storage: tuple[Resource, ...]
    snapshot: Snapshot
    owned: Mapping[Ref, Owned]
    host: Host


class Foresight:
    """The last answer. All that it was made of is immutable: the very same values give the same one."""

    def __init__(self) -> None:
        self._known: _Known | None = None

    def __call__(self, desired: DesiredState, snapshot: Snapshot, owned: Mapping[Ref, Owned]) -> Host:
        """As `foreseen`."""
        storage = tuple(_storage(desired))
        known = self._known
        if (
            known is None
            or known.snapshot is not snapshot
            or known.owned is not owned
            or len(known.storage) != len(storage)
            or not all(map(is_, known.storage, storage))
        ):
            known = self._known = _Known(storage, snapshot, owned, foreseen(desired, snapshot, owned))
        return known.host


def foreseen(desired: DesiredState, snapshot: Snapshot, owned: Mapping[Ref, Owned]) -> Host:
    """The observed host plus the pools and volumes that are declared. Depends on no other resources than on those."""
    observed = snapshot.host
    paths = dict(observed.pool_paths)
    volumes = dict(observed.volumes)
    storage = {resource.ref: resource for resource in _storage(desired)}
    for ref, resource in storage.items():
        if ref.kind == STORAGE_POOL and ref.name not in paths and resource.spec.get("type") in OF_FILES:
            path = contained(
                "finding its folder", ref, resource.digest, target_path, POOLS.declared(resource.spec), ref.name
            )
            if isinstance(path, str):
                paths[ref.name] = path
    for ref, resource in storage.items():
        if ref.kind != STORAGE_VOLUME:
            continue
        known, folder = volumes.get(ref), paths.get(ref.pool)
        source = contained("finding its place", ref, resource.digest, _place, resource, known, folder, owned.get(ref))
        if isinstance(source, VolumeSource):
            volumes[ref] = source
    overlays = _overlays(storage, snapshot, owned)
    return replace(observed, pool_paths=paths, volumes=volumes, overlays=overlays)


def _storage(desired: DesiredState) -> list[Resource]:
    return [each for ref, each in desired.resources.items() if ref.kind == STORAGE_VOLUME or ref.kind == STORAGE_POOL]


def _overlays(
    storage: Mapping[Ref, Resource], snapshot: Snapshot, owned: Mapping[Ref, Owned]
) -> dict[str, tuple[str, ...]]:
    """The files of snapshots, by what lies below them: neither declared nor ours, unlike a machine's own disk
    above its base.
    """
    found: dict[str, tuple[str, ...]] = {}
    for ref, seen in snapshot.objects.items():
        if ref.kind != STORAGE_VOLUME or ref in storage or ref in owned:
            continue
        if below := str(seen.details.get("backing") or ""):
            found[below] = (*found.get(below, ()), str(seen.details["path"]))
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
    source = resource.spec.get("source")
    if source and not resource.spec.get("format"):  # what it was taken for when it was made
        told = told_format(resource.ref.short_name, source) if in_folder else None
        return told or (entry.facts.get(Fact.FORMAT) if entry is not None else None) or "raw"
    made_empty = entry is not None and entry.created and not source
    return future if resource.spec.get("format") or future == "raw" or made_empty else None


def future_format(resource: Resource) -> str:
    """The image format that a declared volume will have in a pool of files; what is written stays raw unless said."""
    declared = resource.spec.get("format")
    if declared:
        return str(declared)
    if resource.has_content:
        return "raw"
    return told_format(resource.ref.short_name, resource.spec.get("source")) or "qcow2"
