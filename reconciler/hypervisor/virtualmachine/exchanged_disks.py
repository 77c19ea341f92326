"""Looks again at the disks of a machine that is to be started, where others than root can exchange them.

What a machine got was judged when it got it. In a folder that another user can write to, an image may be another one by
now: one that has QEMU open files which that user can't, and a guest inside that sends them away.
"""

from __future__ import annotations

import os
import posixpath
from functools import partial
from pathlib import Path

import libvirt

from reconciler.errors import Refused
from reconciler.host.pool_files import is_ours_alone, open_file
from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.failure import is_not_found
from reconciler.hypervisor.lookup import find
from reconciler.locality import is_here
from reconciler.planning.operations import Start
from specs.binding import parse
from specs.storagevolume.header import HEADER_BYTES, PLAIN, ImageHeader, image_header, mistaken, unsafe_header

_DEEPEST = 32


def check_exchanged(connections: Connections, operation: Start) -> None:
    """Raises Refused (`UnsafeImage`). Machines that run have their disks open, and aren't started."""
    if not is_here(connections.uri):
        return
    with connections.lend(f"look at the disks of {operation.ref}") as connection:
        domain = find(connection, operation.ref)
        if domain is None or domain.isActive():
            return
        for disk in parse(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)).iterfind("devices/disk"):
            source, driver = disk.find("source"), disk.find("driver")
            if source is not None and driver is not None:
                _check(connection, source.get("file") or "", driver.get("type"))


def _check(connection: libvirt.virConnect, path: str, opened_as: str | None) -> None:
    for _ in range(_DEEPEST):
        if not path.startswith("/") or opened_as in PLAIN:
            return
        folder = _folder_of_others(path)
        header = _header(path) if folder is not None else None
        if folder is None or header is None:
            return
        above = posixpath.dirname(path)
        allowed = partial(_is_theirs, connection, above, folder.st_uid)
        reason = mistaken(header, opened_as) or unsafe_header(header, allowed)
        if reason is not None:
            raise Refused(f"{path}, which others than root can write, isn't opened: {reason}", reason="UnsafeImage")
        if header.backing_file is None:
            return
        path, opened_as = posixpath.normpath(posixpath.join(above, header.backing_file)), header.backing_format
    raise Refused(f"The image {path} refers to itself; replace it.", reason="UnsafeImage")


def _folder_of_others(path: str) -> os.stat_result | None:
    try:
        folder = Path(path).parent.stat()
    except (OSError, ValueError):
        return None
    return None if is_ours_alone(folder) else folder


def _header(path: str) -> ImageHeader | None:
    try:
        with os.fdopen(open_file(path), "rb") as file:
            return image_header(file.read(HEADER_BYTES))
    except (OSError, ValueError):
        return None  # whoever opens it will tell


def _is_theirs(connection: libvirt.virConnect, above: str, owner: int, name: str) -> bool:
    """A known volume, or a file of whoever has the folder anyway."""
    path = posixpath.normpath(posixpath.join(above, name))
    try:
        connection.storageVolLookupByPath(path)
    except libvirt.libvirtError as error:
        if not is_not_found(error):
            raise
    else:
        return True
    try:
        found = Path(path).lstat()
    except (OSError, ValueError):
        return False
    return found.st_uid == owner != 0
