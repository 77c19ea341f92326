"""What storage volumes are to libvirt. It tells of no event about one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import libvirt

from reconciler.hypervisor.driver import Driver
from reconciler.hypervisor.storagevolume.reading import VolumeReader, tell
from specs.reference import STORAGE_POOL, STORAGE_VOLUME, Ref

if TYPE_CHECKING:
    from reconciler.hypervisor.handlers import Access, KindCommands


def _look_up(connection: libvirt.virConnect, ref: Ref) -> Any:
    return connection.storagePoolLookupByName(ref.pool).storageVolLookupByName(ref.short_name)


def _commands(access: Access) -> KindCommands:
    from reconciler.hypervisor.storagevolume.commands import VolumeCommands  # only who does something loads them

    return VolumeCommands(access)


DRIVER: Final = Driver(
    kind=STORAGE_VOLUME,
    look_up=_look_up,
    commands=_commands,
    reader=VolumeReader,
    reads_after=(STORAGE_POOL,),
    tell=tell,
)
