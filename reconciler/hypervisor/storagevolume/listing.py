"""What libvirt lists in a pool, and what is really there: files come and go behind its back until it looks again.

Looking through a pool costs more the fuller it is, so it is done only where something contradicts the list.
"""

from __future__ import annotations

import libvirt

from reconciler.errors import Conflict
from reconciler.hypervisor.failure import is_lost
from reconciler.hypervisor.lookup import find
from reconciler.hypervisor.patience import patiently
from specs.reference import STORAGE_POOL, Ref


def exists_already(ref: Ref) -> Conflict:
    """The answer to whoever would make a volume where there is one."""
    return Conflict(f"{ref} exists already and isn't overwritten; choose another name, or delete it by hand.")


def is_listed_rightly(connection: libvirt.virConnect, ref: Ref) -> bool:
    """True for a volume that is there; one that is only listed still is taken off the list."""
    volume = find(connection, ref)
    if volume is None:
        return False
    try:
        volume.info()  # looks at the file itself
    except libvirt.libvirtError as error:
        if is_lost(error):
            raise
        if (pool := find(connection, Ref(STORAGE_POOL, ref.pool))) is not None:
            look_again(pool)
        return find(connection, ref) is not None
    return True


def make(pool: libvirt.virStoragePool, ref: Ref, xml: str, *, tables: bool = False) -> libvirt.virStorageVol:
    """A new volume, with its `tables` written beforehand if it is to have them.

    Raises Conflict for a file that is there and was on no list; then it is on the list.
    """
    try:
        flags = libvirt.VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA if tables else 0
        return patiently(lambda: pool.createXML(xml, flags))
    except libvirt.libvirtError as error:
        if _appears(pool, ref):
            raise exists_already(ref) from error
        raise


def _appears(pool: libvirt.virStoragePool, ref: Ref) -> bool:
    try:
        look_again(pool)
        pool.storageVolLookupByName(ref.short_name)
    except libvirt.libvirtError:  # not there; or it can't be seen, and then the first error is the one to tell
        return False
    return True


def look_again(pool: libvirt.virStoragePool) -> None:
    """Have libvirt make its list anew."""
    patiently(pool.refresh)
