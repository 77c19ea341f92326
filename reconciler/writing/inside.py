"""Files below a folder that others may write: every step of the way is a real folder, whatever stands there by now.

A link that takes a folder's place, at any moment, leads nowhere.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from specs.document import MAX_FILE_BYTES

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class InTheWayError(OSError):
    """Something else stands where a file or a folder should be."""


def read(root: Path, path: str) -> bytes | None:
    """A file's bytes; None when nothing is there. Raises InTheWayError for what isn't a file, and OSError."""
    try:
        with _parent(root, path, make=False) as (folder, name):
            descriptor = os.open(name, _FILE, dir_fd=folder)
            with os.fdopen(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise InTheWayError(errno.EEXIST, "it isn't a file")
                return file.read(MAX_FILE_BYTES * 2)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise InTheWayError(error.errno, "a link or a file is in the way") from None
        raise


def prepare(root: Path, path: str, content: bytes) -> str:
    """Write `content` to the disk beside `path`; the hidden name that it has there. Raises OSError."""
    with _parent(root, path, make=True) as (folder, name):
        aside = f".{name[:60]}.{secrets.token_hex(6)}.onggi"
        try:
            mode = stat.S_IMODE(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode) & 0o777
        except FileNotFoundError:
            mode = -1
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666, dir_fd=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                if mode >= 0:
                    os.fchmod(file.fileno(), mode)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            os.unlink(aside, dir_fd=folder)
            raise
        return aside


def take_place(root: Path, path: str, aside: str) -> None:
    """Let what `prepare` has written take its place. Raises OSError."""
    with _parent(root, path, make=False) as (folder, name):
        os.rename(aside, name, src_dir_fd=folder, dst_dir_fd=folder)
        os.fsync(folder)


def forget(root: Path, path: str, aside: str) -> None:
    """Remove what `prepare` has written, where it still is."""
    try:
        with _parent(root, path, make=False) as (folder, _):
            os.unlink(aside, dir_fd=folder)
    except OSError:
        return


def remove(root: Path, path: str) -> None:
    """Remove a file, and the folders that are empty without it. Raises OSError."""
    with _parent(root, path, make=False) as (folder, name):
        os.unlink(name, dir_fd=folder)
    while "/" in path:
        path = path.rpartition("/")[0]
        try:
            with _parent(root, path, make=False) as (folder, name):
                os.rmdir(name, dir_fd=folder)
        except OSError:
            return


@contextmanager
def _parent(root: Path, path: str, *, make: bool) -> Iterator[tuple[int, str]]:
    """The open folder that holds `path`, and the last name of it."""
    *above, name = path.split("/")
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in above:
            try:
                below = os.open(part, _FOLDER, dir_fd=folder)
            except FileNotFoundError:
                if not make:
                    raise
                os.mkdir(part, 0o777, dir_fd=folder)
                below = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = below
        yield folder, name
    finally:
        os.close(folder)
