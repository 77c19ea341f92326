"""What can be done to virtual machines."""

from __future__ import annotations

from reconciler.hypervisor import defining as objects
from reconciler.hypervisor.given import Given
from reconciler.hypervisor.handlers import Access, KindCommands, nothing
from reconciler.hypervisor.links import check_links
from reconciler.hypervisor.lookup import find
from reconciler.hypervisor.opened import Opened
from reconciler.hypervisor.traps import drives
from reconciler.hypervisor.virtualmachine import defining, live, power, snapshots
from reconciler.hypervisor.virtualmachine.exchanged_disks import check_exchanged
from reconciler.hypervisor.virtualmachine.known_paths import KnownPaths
from reconciler.hypervisor.virtualmachine.media_addresses import check_addresses
from reconciler.hypervisor.virtualmachine.outside_images import check_outside_images
from reconciler.hypervisor.virtualmachine.own_devices import check_machine_devices
from reconciler.hypervisor.virtualmachine.renaming import rename_machine
from reconciler.hypervisor.virtualmachine.snapshot_definitions import rename_snapshots
from reconciler.planning.one_off import CreateSnapshot, DeleteSnapshot, PowerOff, Reset, RevertSnapshot
from reconciler.planning.operations import (
    Define,
    EditLive,
    Pause,
    Rename,
    RenameSnapshots,
    Resume,
    SetAutostart,
    Start,
    Stop,
    Undefine,
    WriteMark,
)
from specs.binding import Element, parse
from specs.reference import Ref


class MachineCommands(KindCommands):
    """Of one host's virtual machines."""

    def __init__(self, access: Access) -> None:
        super().__init__()
        self._access = access
        self._allowed_folders = access.allowed_folders if access.is_here else ()
        connections = access.connections
        self.on(
            Define,
            lambda given: defining.define(connections, given, access.reach),
            opens=_new_drives,
            check=self._check_devices,
        )
        self.on(WriteMark, lambda given: defining.write_mark(connections, given.operation), opens=nothing)
        self.on(
            Undefine,
            lambda given: objects.undefine(connections, given.operation, defining.undefine, first=defining.bury),
            opens=nothing,
        )
        self.on(Rename, lambda given: rename_machine(connections, given.operation), opens=nothing)
        self.on(
            EditLive,
            lambda given: live.edit(connections, given.operation, given.stop, access.refusals, access.reach),
            opens=_edited_drives,
            check=self._check_edit,
        )
        self._on_power()
        self._on_snapshots()

    def _on_power(self) -> None:
        connections = self._access.connections
        self.on(SetAutostart, lambda given: objects.set_autostart(connections, given.operation), opens=nothing)
        self.on(
            Start,
            lambda given: power.start(connections, given.operation),
            opens=_all_disks,
            check=lambda given: check_exchanged(connections, given.operation),
        )
        self.on(Stop, lambda given: power.stop(connections, given.operation, given.stop), opens=nothing)
        self.on(Pause, lambda given: power.pause(connections, given.operation), opens=nothing)
        self.on(Resume, lambda given: power.resume(connections, given.operation), opens=nothing)
        self.on(Reset, lambda given: power.reset(connections, given.operation), opens=nothing)
        self.on(PowerOff, lambda given: power.power_off(connections, given.operation), opens=nothing)

    def _on_snapshots(self) -> None:
        connections = self._access.connections
        self.on(CreateSnapshot, lambda given: snapshots.create(connections, given.operation), opens=_all_disks)
        self.on(RevertSnapshot, lambda given: snapshots.revert(connections, given.operation), opens=_all_disks)
        self.on(DeleteSnapshot, lambda given: snapshots.delete(connections, given.operation), opens=_all_disks)
        self.on(RenameSnapshots, lambda given: rename_snapshots(connections, given.operation), opens=nothing)

    def _check_edit(self, given: Given[EditLive]) -> None:
        if given.operation.verb in _BRINGING:
            self._check_devices(given)

    def _check_devices(self, given: Given[Define] | Given[EditLive]) -> None:
        """No file from where onggi may not go, and nothing that this machine itself lives on."""
        ref, devices = given.operation.ref, given.root
        if self._allowed_folders:
            known = KnownPaths(self._access.connections, ref)
            check_links(devices, self._allowed_folders, known.has)
            check_outside_images(devices, self._allowed_folders, known.has)
        check_addresses(self._access.connections, ref, devices, self._access.networks)
        if self._access.is_here:
            check_machine_devices(devices, lambda: self._present(ref))

    def _present(self, ref: Ref) -> Element | None:
        with self._access.connections.lend(f"look at {ref}") as connection:
            found = find(connection, ref)
            return parse(found.XMLDesc()) if found is not None else None


_BRINGING = ("attach", "update")  # edits that give a machine a device, or another medium


def _new_drives(given: Given[Define]) -> Opened:
    named = drives(given.root)
    operation = given.operation
    return Opened((*operation.opens, *named.volumes), named.files, already_of=operation.ref)


def _edited_drives(given: Given[EditLive]) -> Opened:
    return drives(given.root) if given.operation.verb in _BRINGING else Opened()


def _all_disks(
    given: Given[Start] | Given[CreateSnapshot] | Given[RevertSnapshot] | Given[DeleteSnapshot],
) -> Opened:
    return Opened(machine=given.operation.ref)
