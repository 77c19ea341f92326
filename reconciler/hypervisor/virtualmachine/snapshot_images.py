"""Asks the images themselves which snapshots they hold. libvirt's word isn't enough: it passes over an image that it
can't change, or doesn't find any more, and says that a snapshot is deleted.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass

import libvirt

from reconciler.host.pool_files import TrapError, open_file
from reconciler.hypervisor.failure import is_lost
from reconciler.hypervisor.transfer.streams import piece
from reconciler.locality import is_here
from specs.storagevolume.snapshot_table import snapshot_names


@dataclass(frozen=True, slots=True)
class SnapshotImages:
    """The images of one host. `uri` is that of its connection."""

    connection: libvirt.virConnect
    uri: str

    def holding(self, paths: Iterable[str], snapshot: str) -> list[str]:
        """Those of these images that certainly hold the snapshot."""
        return [path for path in paths if snapshot in (self.names(path) or ())]

    def lacking(self, paths: Iterable[str], snapshot: str) -> list[str]:
        """Those of these images that certainly don't."""
        return [path for path in paths if (names := self.names(path)) is not None and snapshot not in names]

    def names(self, path: str) -> frozenset[str] | None:
        """The snapshots in an image; None when nobody can tell, such as for one that isn't there."""
        return self._of_file(path) if is_here(self.uri) else self._of_volume(path)

    def _of_file(self, path: str) -> frozenset[str] | None:
        try:
            descriptor = open_file(path)
        except TrapError:
            return None
        except OSError:
            return self._of_volume(path)  # libvirt may be able to read what we aren't
        try:
            kind = os.fstat(descriptor).st_mode
            if not (stat.S_ISREG(kind) or stat.S_ISBLK(kind)):
                return None
            return snapshot_names(lambda offset, length: os.pread(descriptor, length, offset))
        except OSError:
            return None
        finally:
            os.close(descriptor)

    def _of_volume(self, path: str) -> frozenset[str] | None:
        try:
            volume = self.connection.storageVolLookupByPath(path)
            return snapshot_names(lambda offset, length: piece(self.connection, volume, offset, length))
        except libvirt.libvirtError as error:
            if self.connection.isAlive() != 1 or is_lost(error):
                raise
            return None
