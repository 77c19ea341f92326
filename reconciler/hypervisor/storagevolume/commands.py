"""What can be done to storage volumes."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable

from reconciler.hypervisor.given import Given
from reconciler.hypervisor.handlers import Access, KindCommands, nothing
from reconciler.hypervisor.opened import Opened
from reconciler.hypervisor.storagevolume.copies import Copies
from reconciler.hypervisor.storagevolume.data import VolumeData
from reconciler.hypervisor.storagevolume.own_devices import check_volume
from reconciler.hypervisor.storagevolume.volumes import Volumes
from reconciler.planning.one_off import CloneVolume, WipeVolume
from reconciler.planning.operations import CreateVolume, DeleteVolume, GrowVolume, RenameVolume, TrashVolume
from specs.reference import Ref


class VolumeCommands(KindCommands):
    """Of one host's storage volumes. Removing and renaming open nothing: they are about a name, and not what it leads
    to.
    """

    def __init__(self, access: Access) -> None:
        super().__init__()
        self._access = access
        self.volumes = volumes = Volumes(access)
        self._data = data = VolumeData(access.connections, access.facts, volumes)
        copies = Copies(access.connections, access.facts, volumes)
        self.on(
            CreateVolume,
            volumes.create,
            opens=_its_base,
        )
        self.on(GrowVolume, lambda given: volumes.grow(given.operation), opens=_itself)
        self.on(TrashVolume, lambda given: volumes.keep(given.operation), opens=nothing)
        self.on(RenameVolume, lambda given: volumes.rename(given.operation), opens=nothing)
        self.on(DeleteVolume, lambda given: volumes.delete(given.operation), opens=nothing, check=self._check)
        self.on(WipeVolume, lambda given: data.wipe(given.operation, given.stop), opens=_itself, check=self._check)
        self.on(
            CloneVolume,
            lambda given: copies.clone(given.operation, given.stop, given.progress),
            opens=lambda given: Opened((given.operation.source,)),
        )

    def upload(
        self, ref: Ref, offset: int, length: int, chunks: Iterable[bytes], stop: threading.Event, capacity: int | None
    ) -> None:
        """Write into a volume that nobody uses: see `VolumeData`."""
        check_volume(self._access, ref)
        self._data.upload(ref, offset, length, chunks, stop, capacity)

    def hidden(self) -> frozenset[Ref]:
        """Those that are being made, or that libvirt hasn't looked at since."""
        return self.volumes.hidden()

    def settle(self) -> None:
        """Have libvirt look at new ones. Raises OnggiError."""
        self.volumes.settle()

    def present(self, refs: Collection[Ref]) -> frozenset[Ref]:
        """Which of these are there; those of a pool that isn't active can't be seen."""
        return self.volumes.present(refs)

    def discard_unfinished(self, ref: Ref) -> bool:
        """Delete what a run that was cut off may have left of a new one."""
        return self.volumes.discard_unfinished(ref)

    def _check(self, given: Given[DeleteVolume] | Given[WipeVolume]) -> None:
        check_volume(self._access, given.operation.ref)


def _itself(given: Given[GrowVolume] | Given[WipeVolume]) -> Opened:
    return Opened((given.operation.ref,))


def _its_base(given: Given[CreateVolume]) -> Opened:
    path = given.root.findtext("backingStore/path")
    return Opened(files=(path,) if path else ())
