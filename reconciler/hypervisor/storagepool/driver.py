"""What storage pools are to libvirt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import libvirt

from reconciler.hypervisor.driver import Driver
from reconciler.hypervisor.events import Events
from reconciler.hypervisor.storagepool.folder import tell
from reconciler.hypervisor.storagepool.reading import PoolReader
from specs.reference import STORAGE_POOL, VIRTUAL_MACHINE, Ref

if TYPE_CHECKING:
    from reconciler.hypervisor.handlers import Access, KindCommands


def _look_up(connection: libvirt.virConnect, ref: Ref) -> Any:
    return connection.storagePoolLookupByName(ref.name)


def _commands(access: Access) -> KindCommands:
    from reconciler.hypervisor.storagepool.commands import PoolCommands  # only who does something loads them

    return PoolCommands(access)


DRIVER: Final = Driver(
    kind=STORAGE_POOL,
    look_up=_look_up,
    commands=_commands,
    look_up_uid=libvirt.virConnect.storagePoolLookupByUUIDString,
    reader=PoolReader,
    reads_after=(VIRTUAL_MACHINE,),
    events=(
        Events(
            libvirt.virConnect.storagePoolEventRegisterAny,
            libvirt.virConnect.storagePoolEventDeregisterAny,
            (libvirt.VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE, libvirt.VIR_STORAGE_POOL_EVENT_ID_REFRESH),
        ),
    ),
    tell=tell,
)
