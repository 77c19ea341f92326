"""Refuses to let libvirt open another user's link, a FIFO or a second name of a file in a pool, with root's rights.

Each operation says here which files it opens; what isn't classified doesn't pass the type checker. Where the host is
another machine, its files can't be looked at from here.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

import libvirt

from reconciler.errors import Refused
from reconciler.host.pool_files import TrapError, open_file, trap
from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.given import Given
from reconciler.hypervisor.lookup import find
from reconciler.hypervisor.storagevolume.listing import exists_already, look_again
from reconciler.hypervisor.transfer.streams import head
from reconciler.locality import is_here
from reconciler.planning.one_off import (
    CloneVolume,
    CreateSnapshot,
    DeleteSnapshot,
    PowerOff,
    RefreshPool,
    Reset,
    RevertSnapshot,
    WipeVolume,
)
from reconciler.planning.operations import (
    CreateVolume,
    Define,
    DefineInterface,
    DefineSecret,
    DeleteVolume,
    EditLive,
    ExtendVolumeGroup,
    GrowVolume,
    Pause,
    ReconnectInterfaces,
    Rename,
    RenameSnapshots,
    RenameVolume,
    Resume,
    SetAutostart,
    Start,
    Stop,
    TrashVolume,
    Undefine,
    UpdateNetwork,
    WriteMark,
)
from specs.binding import Element, parse
from specs.reference import VIRTUAL_MACHINE, Ref


@dataclass(frozen=True)
class Opened:
    """What an operation has libvirt or QEMU open: volumes, files that its XML names, or all disks of a machine."""

    volumes: tuple[Ref, ...] = ()
    files: tuple[str, ...] = ()
    machine: Ref | None = None
    already_of: Ref | None = None  # what this machine has already isn't opened by it


def opened_by(given: Given) -> Opened:
    """What is opened. Removing and renaming open nothing: they are about a name, and not what it leads to."""
    operation = given.operation
    match operation:
        case GrowVolume() | WipeVolume():
            return Opened((operation.ref,))
        case CloneVolume():
            return Opened((operation.source,))
        case CreateVolume():
            based_on = given.root.findtext("backingStore/path")
            return Opened(files=(based_on,) if based_on else ())
        case Define() if operation.ref.kind == VIRTUAL_MACHINE:
            drives = _drives(given.root)
            return Opened((*operation.opens, *drives.volumes), drives.files, already_of=operation.ref)
        case EditLive() if operation.verb in ("attach", "update"):
            return _drives(given.root)
        case Start() if operation.ref.kind == VIRTUAL_MACHINE:
            return Opened(machine=operation.ref)
        case CreateSnapshot() | RevertSnapshot() | DeleteSnapshot():
            return Opened(machine=operation.ref)
        case (
            Define() | EditLive() | Start() | DefineSecret() | DefineInterface() | ExtendVolumeGroup() | WriteMark()
            | Undefine() | SetAutostart() | Stop() | Pause() | Resume() | UpdateNetwork() | ReconnectInterfaces()
            | TrashVolume() | RenameVolume() | Rename() | DeleteVolume() | Reset() | PowerOff() | RefreshPool()
            | RenameSnapshots()
        ):  # fmt: skip
            return Opened()
        case _:
            assert_never(operation)


def check_traps(connections: Connections, given: Given) -> None:
    """Raises Refused (`UnsafeFile`)."""
    if not is_here(connections.uri):
        return
    opened = opened_by(given)
    doing = f"look at the files of {given.operation.ref}"
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
        raise _refused(reason)


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
        raise _refused(reason)


def first_bytes(connection: libvirt.virConnect, volume: libvirt.virStorageVol, length: int) -> bytes:
    """A volume's, at most `length`: of the very file that was looked at, where it can be read here.

    Raises Refused (`UnsafeFile`), and libvirtError.
    """
    if is_here(connection.getURI()):
        try:
            descriptor = open_file(volume.path())
        except TrapError as found:
            raise _refused(str(found)) from None
        except (OSError, ValueError):
            pass  # no file, or libvirt may be able to read what we aren't
        else:
            with os.fdopen(descriptor, "rb") as file:
                return file.read(length)
    return head(connection, volume, length)


def _refused(reason: str) -> Refused:
    return Refused(f"It isn't opened: {reason}", reason="UnsafeFile")


def _paths(connection: libvirt.virConnect, opened: Opened) -> set[str]:
    """Where these volumes and a machine's disks are. A machine that runs has its own open."""
    volumes, files = list(opened.volumes), set(opened.files)
    domain = find(connection, opened.machine) if opened.machine is not None else None
    if domain is not None and not (domain.isActive() and opened.already_of is None):
        drives = _drives(parse(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)))
        volumes += drives.volumes
        files |= set(drives.files)
    found = (find(connection, ref) for ref in volumes)
    return files | {volume.path() for volume in found if volume is not None}


def _drives(root: Element) -> Opened:
    """What a machine's or a drive's XML names."""
    sources = [source for disk in root.iter("disk") for source in disk.iterfind("source")]
    files = (source.get("file") or source.get("dev") for source in sources)
    volumes = (Ref.volume(source.get("pool", ""), source.get("volume", "")) for source in sources if source.get("pool"))
    return Opened(tuple(volumes), tuple(file for file in files if file))
