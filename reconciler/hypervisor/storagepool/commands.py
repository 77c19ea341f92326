"""What can be done to storage pools."""

from __future__ import annotations

import libvirt

from reconciler.host.volume_groups import VolumeGroups
from reconciler.hypervisor import activation, defining
from reconciler.hypervisor.given import Given
from reconciler.hypervisor.handlers import Access, KindCommands, nothing
from reconciler.hypervisor.lookup import find
from reconciler.hypervisor.storagepool import volume_groups
from reconciler.hypervisor.storagepool.own_devices import check_pool_devices
from reconciler.hypervisor.storagepool.refreshing import refresh
from reconciler.hypervisor.storagepool.refused_folders import check_pool_folder
from reconciler.hypervisor.storagepool.secrets import define_secret, forget_secret
from reconciler.hypervisor.storagepool.starting import build_and_start
from reconciler.planning.one_off import RefreshPool
from reconciler.planning.operations import (
    Define,
    DefineSecret,
    ExtendVolumeGroup,
    SetAutostart,
    Start,
    Stop,
    Undefine,
)
from specs.binding import parse
from specs.reference import STORAGE_POOL, Ref


class PoolCommands(KindCommands):
    """Of one host's storage pools. None opens a file in one."""

    def __init__(self, access: Access) -> None:
        super().__init__()
        self._access = access
        connections, groups = access.connections, VolumeGroups()
        self.on(DefineSecret, lambda given: define_secret(connections, given.operation, access.reach), opens=nothing)
        self.on(
            ExtendVolumeGroup, lambda given: volume_groups.extend(connections, groups, given.operation), opens=nothing
        )
        self.on(
            Define,
            lambda given: defining.define(connections, given, libvirt.virConnect.storagePoolDefineXML),
            opens=nothing,
            check=self._check,
        )
        self.on(Undefine, lambda given: defining.undefine(connections, given.operation, _remove), opens=nothing)
        self.on(SetAutostart, lambda given: defining.set_autostart(connections, given.operation), opens=nothing)
        self.on(Start, self._start, opens=nothing)
        self.on(Stop, lambda given: activation.stop(connections, given.operation), opens=nothing)
        self.on(RefreshPool, lambda given: refresh(access, given.operation), opens=nothing)

    def _check(self, given: Given[Define]) -> None:
        """Neither on what this machine itself lives on, nor on a folder that isn't to be a pool's."""
        if self._access.is_here:
            check_pool_devices(given.root)
            present = self._present_folder(given.operation.ref)
            check_pool_folder(given.root, self._access.own_folders, present, self._access.reach)

    def _present_folder(self, ref: Ref) -> str:
        """The folder of a pool that is on the host already."""
        with self._access.connections.lend(f"look at {ref}") as connection:
            found = find(connection, ref)
            return (parse(found.XMLDesc()).findtext("target/path") or "") if found is not None else ""

    def _start(self, given: Given[Start]) -> None:
        how = build_and_start if given.operation.build else libvirt.virStoragePool.create
        activation.start(self._access.connections, given.operation, how)


def _remove(pool: libvirt.virStoragePool) -> None:
    pool.undefine()
    forget_secret(pool.connect(), Ref(STORAGE_POOL, pool.name()))
