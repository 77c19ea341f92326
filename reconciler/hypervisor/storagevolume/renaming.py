"""Gives a volume another name: its file is renamed in its folder.

A name that is taken is never written over, and a rename that was cut off is finished by the next try.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import libvirt

from reconciler.errors import Conflict, NotFound, Terminal, Unsupported
from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.lookup import get
from reconciler.hypervisor.patience import patiently
from reconciler.locality import is_here
from reconciler.planning.operations import RenameVolume
from specs.binding import parse
from specs.reference import STORAGE_POOL, Ref


def rename_volume(connections: Connections, operation: RenameVolume) -> None:
    """Rename a volume's file. Who calls holds the pool's lock.

    Raises Unsupported where a volume isn't a file of this machine, Conflict when the name is taken, NotFound.
    """
    old, new = operation.ref, operation.to
    with connections.lend(f"rename {old} to {new.short_name}") as connection:
        pool = get(connection, Ref(STORAGE_POOL, operation.ref.pool))
        folder = Path(parse(pool.XMLDesc()).findtext("target/path") or "")
        source, target = folder / old.short_name, folder / new.short_name
        if not is_here(connections.uri) or not _is_file_here(pool, source, target, old.short_name):
            raise Unsupported(
                f"{old} can't be renamed to {new.short_name}: it isn't a file of this machine; name it in the "
                f"document instead, `volume: {old.name}`"
            )
        _move(source, target, f"{old} can't be renamed: {new.short_name}")
        patiently(pool.refresh)


def _is_file_here(pool: libvirt.virStoragePool, source: Path, target: Path, name: str) -> bool:
    """True when the folder's file is the volume, and not something of the same name on another machine."""
    for path in (source, target):
        try:
            found = path.lstat()
        except OSError:
            continue
        if not stat.S_ISREG(found.st_mode):
            return False
        if path == target:
            return True
        try:
            return bool(pool.storageVolLookupByName(name).path() == str(path))
        except libvirt.libvirtError:
            return False
    return False


def _move(source: Path, target: Path, refusal: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)  # unlike a rename, it never replaces what is there
    except FileExistsError:
        if not source.exists():
            return  # done before
        if not source.samefile(target):
            raise Conflict(f"{refusal} exists already and isn't overwritten; rename one of the two by hand.") from None
    except FileNotFoundError:
        if not target.exists():
            raise NotFound(f"{refusal}: {source.name} isn't in its pool any more.") from None
        return
    except OSError as error:
        raise Terminal(f"{refusal}: {error.strerror}; mend the disk there.") from None
    source.unlink()
