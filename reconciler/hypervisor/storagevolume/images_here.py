"""Writes ready-made images straight into a pool's folder, where that folder is one of this machine.

Uploading does the same for any host, but libvirt looks through the whole pool after each upload, which gets slow as a
pool fills up. Here it looks once for a batch, when it is told to. That the folder really is the pool's is proven by
the first image, which libvirt makes and which is found here with the same bytes; its owner and mode serve for all.
"""

from __future__ import annotations

import os
import stat
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import libvirt

from reconciler.errors import Terminal
from reconciler.faults import boundary
from reconciler.host.pool_files import open_plain
from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.lookup import find
from reconciler.hypervisor.storagevolume.listing import exists_already, look_again
from reconciler.hypervisor.storagevolume.prototypes import Prototypes
from reconciler.locality import is_here
from specs.binding import Element, parse
from specs.reference import STORAGE_POOL, Ref

# A file without a name, which is gone with the process that made it: it gets its name once it is whole.
_NEW_FILE = os.O_WRONLY | os.O_TMPFILE | os.O_NOFOLLOW | os.O_CLOEXEC

Key = tuple[str, int]


@dataclass(slots=True)
class _Folder:
    path: Path
    like: dict[Key, os.stat_result] = field(default_factory=dict)  # what libvirt's own image of a kind looks like


class ImagesHere:
    """The folders of this machine that are known to be pools'. Who calls holds the pool's lock."""

    def __init__(self, connections: Connections, prototypes: Prototypes) -> None:
        self._connections = connections
        self._prototypes = prototypes
        self._is_here = is_here(connections.uri)
        self._folders: dict[str, _Folder] = {}
        self._checked: dict[str, libvirt.virStoragePool] = {}  # since the last `forget`
        self._lock = threading.Lock()

    def learn(self, pool: str, key: Key, made: Path) -> None:
        """libvirt has just made an image at `made`: is it here, and are its bytes those of the prototype?"""
        if not self._is_here:
            return
        try:
            found, content = _whole(made)
        except OSError:
            return
        same = content is not None and content == self._prototypes.get(key)
        if same and made.parent.is_dir() and not made.parent.is_symlink():
            with self._lock:
                folder = self._folders.get(pool)
                if folder is None or folder.path != made.parent:
                    folder = self._folders[pool] = _Folder(made.parent)
                folder.like[key] = found

    def forget(self) -> None:
        """A batch is over: pools may have been changed before the next one."""
        with self._lock:
            self._checked.clear()

    def make(self, ref: Ref, root: Element) -> bool:
        """Write the image that `root` describes; False when it has to be made another way.

        Raises Conflict when there is a file of this name, and Terminal when the disk doesn't take it.
        """
        with self._lock:
            folder = self._folders.get(ref.pool)
        pool = self._pool(ref.pool, folder) if folder is not None else None
        if folder is None or pool is None or Path(ref.short_name).name != ref.short_name:
            return False
        if root.find("target/permissions") is not None:
            return False  # libvirt gives those away, also to users that this process may not give files to
        key = self._prototypes.key(pool, root)
        image = self._prototypes.get(key) if key is not None else None
        like = folder.like.get(key) if key is not None else None
        if image is None or like is None:
            return False
        try:
            descriptor = os.open(folder.path, _NEW_FILE, 0o600)
        except OSError:  # this file system has no such files, or this process may not make one there
            return False
        try:
            _fill(descriptor, image, like)
            boundary("after filling an image's file")
            # A full path needs no folder's descriptor, but only with one does Python follow the link in /proc.
            os.link(f"/proc/self/fd/{descriptor}", folder.path / ref.short_name, src_dir_fd=descriptor)
            boundary("after naming an image's file")
        except FileExistsError:
            with self._connections.lend(f"look at {Ref(STORAGE_POOL, ref.pool)}"), suppress(libvirt.libvirtError):
                look_again(pool)  # it may not know the file yet, and the next pass has to
            raise exists_already(ref) from None
        except OSError as error:
            raise Terminal(f"{ref} can't be stored: {error.strerror}; make room or mend the disk there.") from None
        finally:
            os.close(descriptor)
        return True

    def _pool(self, name: str, folder: _Folder) -> libvirt.virStoragePool | None:
        """The pool when it is active and still has this folder; asked once for a batch."""
        with self._lock:
            if name in self._checked:
                return self._checked[name]
        with self._connections.lend(f"look at {Ref(STORAGE_POOL, name)}") as connection:
            pool = find(connection, Ref(STORAGE_POOL, name))
            if pool is None or not pool.isActive():
                return None
            if Path(parse(pool.XMLDesc()).findtext("target/path") or "") != folder.path:
                return None
        with self._lock:
            self._checked[name] = pool
        return pool


def _whole(made: Path) -> tuple[os.stat_result, bytes | None]:
    """A regular file, and what is in it; None for anything else."""
    descriptor = open_plain(made)
    if descriptor is None:
        return made.lstat(), None
    with os.fdopen(descriptor, "rb") as file:
        return os.fstat(descriptor), file.read()


def _fill(descriptor: int, image: bytes, like: os.stat_result) -> None:
    view = memoryview(image)
    while view:
        view = view[os.write(descriptor, view) :]
    if (like.st_uid, like.st_gid) != (os.geteuid(), os.getegid()):
        os.fchown(descriptor, like.st_uid, like.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(like.st_mode))
