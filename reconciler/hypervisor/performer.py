"""One entry for every operation of a plan: which code performs it."""

from __future__ import annotations

import threading
from typing import assert_never
from urllib.parse import urlsplit

from reconciler.host.volume_groups import VolumeGroups
from reconciler.hypervisor import defining, prerequisites, renaming
from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.given import Given
from reconciler.hypervisor.lookup import find
from reconciler.hypervisor.network import live as networks
from reconciler.hypervisor.own_devices import check_machine_devices, check_pool_devices, check_volume_device
from reconciler.hypervisor.storagepool import volume_groups
from reconciler.hypervisor.storagepool.refused_folders import check_pool_folder
from reconciler.hypervisor.storagevolume.copies import Copies
from reconciler.hypervisor.storagevolume.data import VolumeData
from reconciler.hypervisor.storagevolume.volumes import Volumes
from reconciler.hypervisor.transfer.intake import Progress
from reconciler.hypervisor.traps import check_traps
from reconciler.hypervisor.virtualmachine import live, power, snapshot_definitions, snapshots
from reconciler.hypervisor.virtualmachine.exchanged_disks import check_exchanged
from reconciler.hypervisor.virtualmachine.media import check_media
from reconciler.hypervisor.virtualmachine.media_addresses import check_addresses
from reconciler.hypervisor.virtualmachine.refusals import Refusals
from reconciler.locality import is_here
from reconciler.network.addresses import INTERNET, Networks
from reconciler.planning.one_off import (
    CloneVolume,
    CreateSnapshot,
    DeleteSnapshot,
    PowerOff,
    RefreshPool,
    Reset,
    RevertSnapshot,
    WipeVolume,
)
from reconciler.planning.operations import (
    CreateVolume,
    Define,
    DefineInterface,
    DefineSecret,
    DeleteVolume,
    EditLive,
    ExtendVolumeGroup,
    GrowVolume,
    Operation,
    Pause,
    ReconnectInterfaces,
    Rename,
    RenameSnapshots,
    RenameVolume,
    Resume,
    SetAutostart,
    Start,
    Stop,
    TrashVolume,
    Undefine,
    UpdateNetwork,
    WriteMark,
)
from specs.binding import Element, parse
from specs.reach import Reach
from specs.reference import STORAGE_POOL, Ref


class OperationPerformer:
    """Performs operations on one host; several threads may do so at once."""

    def __init__(
        self,
        connections: Connections,
        volumes: Volumes,
        copies: Copies,
        data: VolumeData,
        refusals: Refusals,
        allowed_folders: tuple[str, ...] = (),
        own_folders: tuple[str, ...] = (),
        reach: Reach | None = None,
        networks: Networks = INTERNET,
    ) -> None:
        self._connections = connections
        self._volumes = volumes
        self._copies = copies
        self._data = data
        self._groups = VolumeGroups()
        self._refusals = refusals
        # The files of another machine can't be looked at from here.
        self._is_here = is_here(connections.uri)
        self._own_folders = own_folders
        self._reach = reach
        self._networks = networks
        self._allowed_folders = () if urlsplit(connections.uri).hostname else allowed_folders

    def perform(self, operation: Operation, stop: threading.Event, progress: Progress) -> None:
        """Do one thing, or find it done. Raises OnggiError."""
        connections, volumes = self._connections, self._volumes
        given = Given(operation)
        self._check_media(given)
        check_addresses(connections, given, self._networks)
        check_traps(connections, given)
        check_exchanged(connections, operation)
        if self._is_here:
            self._check_devices(given)
        if self._is_here and isinstance(operation, Define) and operation.ref.kind == STORAGE_POOL:
            check_pool_folder(given.root, self._own_folders, self._kept_folder(operation), self._reach)
        match operation:
            case Define():
                defining.define(connections, operation, given.root, self._reach)
            case DefineSecret():
                prerequisites.define_secret(connections, operation, self._reach)
            case DefineInterface():
                prerequisites.define_interface(connections, operation)
            case ExtendVolumeGroup():
                volume_groups.extend(connections, self._groups, operation)
            case WriteMark():
                defining.write_mark(connections, operation)
            case Undefine():
                defining.undefine(connections, operation)
            case SetAutostart():
                defining.set_autostart(connections, operation)
            case Start():
                power.start(connections, operation)
            case Stop():
                power.stop(connections, operation, stop)
            case Pause():
                power.pause(connections, operation)
            case Resume():
                power.resume(connections, operation)
            case EditLive():
                live.edit(connections, operation, stop, self._refusals, self._reach)
            case UpdateNetwork():
                networks.update_network(connections, operation)
            case ReconnectInterfaces():
                networks.reconnect_interfaces(connections, operation)
            case CreateVolume():
                volumes.create(operation, stop, progress)
            case GrowVolume():
                volumes.grow(operation)
            case TrashVolume():
                volumes.keep(operation)
            case RenameVolume():
                volumes.rename(operation)
            case Rename():
                renaming.rename_machine(connections, operation)
            case RenameSnapshots():
                snapshot_definitions.rename_snapshots(connections, operation)
            case DeleteVolume():
                volumes.delete(operation)
            case CreateSnapshot():
                snapshots.create(connections, operation)
            case RevertSnapshot():
                snapshots.revert(connections, operation)
            case DeleteSnapshot():
                snapshots.delete(connections, operation)
            case Reset():
                power.reset(connections, operation)
            case PowerOff():
                power.power_off(connections, operation)
            case WipeVolume():
                self._data.wipe(operation, stop)
            case CloneVolume():
                self._copies.clone(operation, stop, progress)
            case RefreshPool():
                self._data.refresh(operation)
            case _:
                assert_never(operation)

    def _kept_folder(self, operation: Define) -> str:
        """The folder of a pool that is on the host already."""
        with self._connections.lend(f"look at {operation.ref}") as connection:
            found = find(connection, operation.ref)
            return (parse(found.XMLDesc()).findtext("target/path") or "") if found is not None else ""

    def _check_devices(self, given: Given) -> None:
        """Neither a pool nor a machine gets what this machine itself lives on."""
        operation = given.operation
        if isinstance(operation, Define) and operation.ref.kind == STORAGE_POOL:
            check_pool_devices(given.root)
        elif (devices := given.devices) is not None:
            check_machine_devices(devices, lambda: self._present(operation.ref))
        elif isinstance(operation, WipeVolume | DeleteVolume):
            self.check_volume(operation.ref)

    def check_volume(self, ref: Ref) -> None:
        """Raises Terminal for a volume that this machine itself lives on."""
        if self._is_here:
            with self._connections.lend(f"look at {ref}") as connection:
                found = find(connection, ref)
                path = found.path() if found is not None else ""
            check_volume_device(path)

    def _present(self, ref: Ref) -> Element | None:
        with self._connections.lend(f"look at {ref}") as connection:
            found = find(connection, ref)
            return parse(found.XMLDesc()) if found is not None else None

    def _check_media(self, given: Given) -> None:
        if self._allowed_folders and (devices := given.devices) is not None:
            check_media(devices, self._allowed_folders)
