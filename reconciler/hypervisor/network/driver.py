"""What networks are to libvirt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import libvirt

from reconciler.hypervisor.driver import Driver
from reconciler.hypervisor.events import Events
from reconciler.hypervisor.network.reading import NetworkReader
from reconciler.hypervisor.network.subnets import tell
from specs.reference import NETWORK, VIRTUAL_MACHINE, Ref

if TYPE_CHECKING:
    from reconciler.hypervisor.handlers import Access, KindCommands


def _look_up(connection: libvirt.virConnect, ref: Ref) -> Any:
    return connection.networkLookupByName(ref.name)


def _commands(access: Access) -> KindCommands:
    from reconciler.hypervisor.network.commands import NetworkCommands  # only who does something loads them

    return NetworkCommands(access)


DRIVER: Final = Driver(
    kind=NETWORK,
    look_up=_look_up,
    commands=_commands,
    look_up_uid=libvirt.virConnect.networkLookupByUUIDString,
    reader=NetworkReader,
    reads_after=(VIRTUAL_MACHINE,),
    events=(
        Events(
            libvirt.virConnect.networkEventRegisterAny,
            libvirt.virConnect.networkEventDeregisterAny,
            (libvirt.VIR_NETWORK_EVENT_ID_LIFECYCLE,),
        ),
    ),
    tell=tell,
)
