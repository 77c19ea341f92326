"""What storage pools are to libvirt."""

from __future__ import annotations

from typing import Any, Final

import libvirt

from reconciler.hypervisor.driver import Driver, Events
from reconciler.hypervisor.storagepool.folder import tell
from reconciler.hypervisor.storagepool.reading import PoolReader
from specs.reference import STORAGE_POOL, VIRTUAL_MACHINE, Ref


def _look_up(connection: libvirt.virConnect, ref: Ref) -> Any:
    return connection.storagePoolLookupByName(ref.name)


DRIVER: Final = Driver(
    kind=STORAGE_POOL,
    look_up=_look_up,
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
