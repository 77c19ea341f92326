"""What every decision of one pass may look at, gathered once: the host as it will be, who owns what, who uses what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from reconciler.bulkhead import Failure, contained
from reconciler.desired.state import DesiredState, Resource
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.loss import Loss, find_losses
from reconciler.planning.mentions import mentioned
from reconciler.planning.migration import find_away
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plugs import cut_off
from reconciler.planning.remade import LastSeen
from reconciler.planning.renames import Renames, find_renames
from reconciler.planning.terms import Terms
from specs.host import Host, VolumeSource
from specs.reference import NETWORK, STORAGE_POOL, STORAGE_VOLUME, VIRTUAL_MACHINE, Ref
from specs.registry import kinds
from specs.storagepool.types import OF_FILES
from specs.storagepool.xml import target_path
from specs.storagevolume.model import told_format

# Pools whose volumes are files below the pool's target path, so that a path is known before the volume exists.


@dataclass(frozen=True, eq=False)
class Context:
    """One pass's inputs. `suspended` are objects that a user told onggi to leave alone."""

    desired: DesiredState
    snapshot: Snapshot
    owned: Mapping[Ref, Owned]
    suspended: frozenset[Ref] = frozenset()
    terms: Terms = field(default_factory=Terms)
    last_seen: Callable[[Ref], LastSeen | None] = lambda _ref: None  # how an object of ours was, also when it is gone

    @cached_property
    def host(self) -> Host:
        """The observed host plus the pools and volumes that are declared: paths are known before they exist."""
        observed = self.snapshot.host
        paths = dict(observed.pool_paths)
        volumes = dict(observed.volumes)
        for ref, resource in self.desired.resources.items():
            if ref.kind == STORAGE_POOL and ref.name not in paths and resource.spec.get("type") in OF_FILES:
                path = contained("finding its folder", ref, resource.digest, target_path, resource.spec, ref.name)
                if isinstance(path, str):
                    paths[ref.name] = path
        for ref, resource in self.desired.resources.items():
            if ref.kind != STORAGE_VOLUME:
                continue
            known, folder = volumes.get(ref), paths.get(ref.pool)
            source = contained("finding its place", ref, resource.digest, self._place, ref, resource, known, folder)
            if isinstance(source, VolumeSource):
                volumes[ref] = source
        return replace(observed, pool_paths=paths, volumes=volumes, overlays=self._overlays())

    def _overlays(self) -> dict[str, tuple[str, ...]]:
        """The files of snapshots, by what lies below them: neither declared nor ours, unlike a machine's own disk
        above its base.
        """
        found: dict[str, tuple[str, ...]] = {}
        for ref, seen in self.snapshot.objects.items():
            if ref.kind != STORAGE_VOLUME or ref in self.desired.resources or ref in self.owned:
                continue
            if below := str(seen.details.get("backing") or ""):
                found[below] = (*found.get(below, ()), str(seen.details["path"]))
        return found

    def _place(
        self, ref: Ref, resource: Resource, known: VolumeSource | None, folder: str | None
    ) -> VolumeSource | None:
        """Where a declared volume is or will be; None where that can't be known yet."""
        if known is None:
            path = f"{folder.rstrip('/')}/{ref.short_name}" if folder else ""
            return VolumeSource(path, "file", future_format(resource)) if path else None
        # libvirt looks into the bytes. They are the guest's: with a header of its own making it could make
        # QEMU open any file of the host as soon as its machine is defined anew. And an image that is only
        # being written looks raw: a machine defined then would read and write its headers as data.
        certain = self._certain_format(ref, resource, in_folder=folder is not None) or known.format
        return known if certain == known.format else replace(known, format=certain)

    def _certain_format(self, ref: Ref, resource: Resource, *, in_folder: bool) -> str | None:
        """The image format of a volume that needs no look at its bytes; None when only they can tell."""
        future = future_format(resource)
        entry = self.owned.get(ref)
        source = resource.spec.get("source")
        if source and not resource.spec.get("format"):  # what it was taken for when it was made
            told = told_format(ref.short_name, source) if in_folder else None
            return told or (entry.facts.get(Fact.FORMAT) if entry is not None else None) or "raw"
        made_empty = entry is not None and entry.created and not source
        return future if resource.spec.get("format") or future == "raw" or made_empty else None

    @cached_property
    def by_uid(self) -> Mapping[str, Ref]:
        """Which object on the host has a UUID."""
        return {observed.uid: ref for ref, observed in self.snapshot.objects.items() if observed.uid}

    def present_name(self, entry: Owned) -> Ref:
        """What the object of an entry is called now; the entry's own name when it isn't there at all."""
        ref = entry.ref
        observed = self.snapshot.objects.get(ref)
        if not entry.uid or (observed is not None and observed.uid == entry.uid):
            return ref
        found = self.by_uid.get(entry.uid)
        return found if found is not None and found.kind == ref.kind else ref

    @cached_property
    def renames(self) -> Renames:
        """What is declared under another name than it has on the host."""
        return find_renames(self.desired, self.snapshot, self.by_uid, self.owned)

    @cached_property
    def losses(self) -> Mapping[Ref, Loss]:
        """The declared volumes that were on the host, held data, and are gone."""
        return find_losses(self)

    @cached_property
    def away(self) -> Mapping[Ref, str]:
        """The machines that were migrated to another host, with the digest by which somebody has them here again."""
        return find_away(self)

    @cached_property
    def volume_at(self) -> Mapping[str, Ref]:
        """Which volume is at a path."""
        return {source.path: ref for ref, source in self.host.volumes.items()}

    @cached_property
    def present_at(self) -> Mapping[str, Ref]:
        """Which volume on the host is at a path, whatever is declared."""
        return {source.path: ref for ref, source in self.snapshot.host.volumes.items()}

    @cached_property
    def users(self) -> Mapping[Ref, frozenset[Ref]]:
        """For each network, volume and pool on the host: the VMs that use it, and the volumes that are backed by it."""
        found: dict[Ref, set[Ref]] = {}
        for ref, observed in self.snapshot.objects.items():
            for used in self._uses(ref, observed):
                found.setdefault(used, set()).add(ref)
        return {ref: frozenset(users) for ref, users in found.items()}

    @cached_property
    def cut_off(self) -> Mapping[Ref, tuple[Ref, ...]]:
        """For each network: the running VMs that lost it, without those that a user told onggi to leave alone."""
        found = {
            ref: tuple(vm for vm in vms if vm not in self.suspended) for ref, vms in cut_off(self.snapshot).items()
        }
        return {ref: machines for ref, machines in found.items() if machines}

    def running_users(self, ref: Ref) -> list[Ref]:
        """The VMs that run and use `ref`, in order of their names."""
        objects = self.snapshot.objects
        return sorted(user for user in self.users.get(ref, ()) if user.kind == VIRTUAL_MACHINE and objects[user].active)

    def _uses(self, ref: Ref, observed: Observed) -> Iterable[Ref]:
        key = (observed.xml, observed.live_xml)
        uses = contained("finding its uses", ref, key, lambda: list(self._read_uses(ref, observed)))
        if not isinstance(uses, Failure):
            return uses
        if ref.kind not in (VIRTUAL_MACHINE, STORAGE_VOLUME):
            return ()
        others = (each for each in self.snapshot.objects if each.kind in (NETWORK, STORAGE_POOL))
        return mentioned(observed, self.host.volumes, others)

    def _read_uses(self, ref: Ref, observed: Observed) -> Iterator[Ref]:
        if ref.kind == STORAGE_VOLUME:
            backing = self.volume_at.get(str(observed.details.get("backing") or ""))
            if backing is not None:
                yield backing
        elif ref.kind == VIRTUAL_MACHINE:
            # Both definitions count: a disk that only the running one has is in use all the same.
            for spec in filter(None, (observed.config, observed.live)):
                yield from machine_uses(spec, self.volume_at)

    def resource_sources(self, resource: Resource) -> tuple[VolumeSource | None, ...]:
        """Where the volumes of a resource are: with resource and object, all that its XML depends on."""
        volumes = [ref for ref in resource.depends_on if ref.kind == STORAGE_VOLUME]
        return tuple(map(self.host.volume_source, volumes)) if volumes else ()


def machine_uses(machine: Mapping[str, Any], volume_at: Mapping[str, Ref]) -> Iterator[Ref]:
    """The volumes, pools and networks that one definition of a machine names."""
    for volume in drive_volumes(machine, volume_at):
        yield volume
        yield Ref(STORAGE_POOL, volume.pool)
    for interface in machine.get("interfaces", ()):
        if network := interface.get("network"):
            yield Ref(NETWORK, network)


def drive_volumes(machine: Mapping[str, Any], volume_at: Mapping[str, Ref]) -> Iterator[Ref]:
    """The volumes of the drives of one definition, those that are known."""
    for drive in (*machine.get("disks", ()), *machine.get("cdroms", ())):
        source = drive.get("source") or {}
        if "volume" in source:
            yield Ref.volume(source.get("pool", ""), source["volume"])
        elif (volume := volume_at.get(source.get("file") or source.get("dev") or "")) is not None:
            yield volume


def future_format(resource: Resource) -> str:
    """The image format that a declared volume will have in a pool of files; what is written stays raw unless said."""
    declared = resource.spec.get("format")
    if declared:
        return str(declared)
    if resource.has_content:
        return "raw"
    return told_format(resource.ref.short_name, resource.spec.get("source")) or "qcow2"


def has_object(ref: Ref) -> bool:
    """True for kinds that have an object on the host (a Template has none)."""
    return kinds()[ref.kind].has_xml
