"""Refuses to let libvirt open another user's link, a FIFO or a second name of a file in a pool, with root's rights.

Each kind says of its operations which files they open; where the host is another machine, its files can't be looked at
from here.
"""

from __future__ import annotations

import libvirt

from reconciler.errors import Refused
from reconciler.host.pool_files import trap
from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.lookup import find
from reconciler.hypervisor.opened import Opened
from reconciler.locality import is_here
from specs.binding import Element, parse
from specs.reference import Ref


def check_traps(connections: Connections, ref: Ref, opened: Opened) -> None:
    """Raises Refused (`UnsafeFile`) when an operation on this object opens such a file."""
    if not is_here(connections.uri):
        return
    doing = f"look at the files of {ref}"
    paths = set(opened.files)
    if opened.volumes or opened.machine is not None:
        with connections.lend(doing) as connection:
            paths |= _paths(connection, opened)
    trapped = {path: reason for path in sorted(paths) if path.startswith("/") and (reason := trap(path))}
    if trapped and opened.already_of is not None:
        with connections.lend(doing) as connection:
            for path in _paths(connection, Opened(machine=opened.already_of, already_of=opened.already_of)):
                trapped.pop(path, None)
    for reason in trapped.values():
        raise refused(reason)


def refused(reason: str) -> Refused:
    """The answer to whoever would have one opened."""
    return Refused(f"It isn't opened: {reason}", reason="UnsafeFile")


def _paths(connection: libvirt.virConnect, opened: Opened) -> set[str]:
    """Where these volumes and a machine's disks are. A machine that runs has its own open."""
    volumes, files = list(opened.volumes), set(opened.files)
    domain = find(connection, opened.machine) if opened.machine is not None else None
    if domain is not None and not (domain.isActive() and opened.already_of is None):
        named = drives(parse(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)))
        volumes += named.volumes
        files |= set(named.files)
    found = (find(connection, ref) for ref in volumes)
    return files | {volume.path() for volume in found if volume is not None}


def drives(root: Element) -> Opened:
    """What a machine's or a drive's XML names."""
    sources = [source for disk in root.iter("disk") for source in disk.iterfind("source")]
    files = (source.get("file") or source.get("dev") for source in sources)
    volumes = (Ref.volume(source.get("pool", ""), source.get("volume", "")) for source in sources if source.get("pool"))
    return Opened(tuple(volumes), tuple(file for file in files if file))
