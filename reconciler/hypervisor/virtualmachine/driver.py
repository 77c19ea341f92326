"""What virtual machines are to libvirt, which calls them domains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import libvirt

from reconciler.hypervisor.driver import Driver
from reconciler.hypervisor.events import Events
from reconciler.hypervisor.virtualmachine.reading import MachineReader
from reconciler.hypervisor.virtualmachine.runs import note_reboot, note_run
from specs.reference import VIRTUAL_MACHINE, Ref

if TYPE_CHECKING:
    from reconciler.hypervisor.handlers import Access, KindCommands


_REGISTER = libvirt.virConnect.domainEventRegisterAny
_DEREGISTER = libvirt.virConnect.domainEventDeregisterAny


def _look_up(connection: libvirt.virConnect, ref: Ref) -> Any:
    return connection.lookupByName(ref.name)


def _commands(access: Access) -> KindCommands:
    from reconciler.hypervisor.virtualmachine.commands import MachineCommands  # only who does something loads them

    return MachineCommands(access)


DRIVER: Final = Driver(
    kind=VIRTUAL_MACHINE,
    look_up=_look_up,
    commands=_commands,
    look_up_uid=libvirt.virConnect.lookupByUUIDString,
    reader=MachineReader,
    events=(
        Events(_REGISTER, _DEREGISTER, (libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE,), note_run),
        Events(_REGISTER, _DEREGISTER, (libvirt.VIR_DOMAIN_EVENT_ID_REBOOT,), note_reboot),
        Events(
            _REGISTER,
            _DEREGISTER,
            (
                libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_ADDED,
                libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
                libvirt.VIR_DOMAIN_EVENT_ID_TRAY_CHANGE,
                libvirt.VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE,
                libvirt.VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
            ),
        ),
    ),
)
