"""Refuses to let libvirt open another user's link, a FIFO or a second name of a file where a volume is, or is made.

What the operations open is looked at in `hypervisor.traps`; here is what comes to light while one is performed.
"""

from __future__ import annotations

import os
from pathlib import Path

import libvirt

from reconciler.host.pool_files import TrapError, open_file, trap
from reconciler.hypervisor.storagevolume.listing import exists_already, look_again
from reconciler.hypervisor.transfer.streams import head
from reconciler.hypervisor.traps import refused
from reconciler.locality import is_here
from specs.binding import parse
from specs.reference import Ref


def check_no_link(pool: libvirt.virStoragePool, ref: Ref) -> None:
    """Raises Conflict for a link where a volume is to be made: libvirt has qemu-img make some images, and that writes
    through a link which leads nowhere yet.
    """
    if is_here(pool.connect().getURI()):
        folder = parse(pool.XMLDesc()).findtext("target/path")
        if folder and (Path(folder) / ref.short_name).is_symlink():
            look_again(pool)
            raise exists_already(ref)


def check_volume(connection: libvirt.virConnect, volume: libvirt.virStorageVol) -> None:
    """The same for a volume that libvirt is just about to open."""
    path = volume.path()
    if is_here(connection.getURI()) and path.startswith("/") and (reason := trap(path)):
        raise refused(reason)


def first_bytes(connection: libvirt.virConnect, volume: libvirt.virStorageVol, length: int) -> bytes:
    """A volume's, at most `length`: of the very file that was looked at, where it can be read here.

    Raises Refused (`UnsafeFile`), and libvirtError.
    """
    if is_here(connection.getURI()):
        try:
            descriptor = open_file(volume.path())
        except TrapError as found:
            raise refused(str(found)) from None
        except (OSError, ValueError):
            pass  # no file, or libvirt may be able to read what we aren't
        else:
            with os.fdopen(descriptor, "rb") as file:
                return file.read(length)
    return head(connection, volume, length)
