"""A small text file of the host that others edit too: read with bounds, replaced in one go, never half-written."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from reconciler.errors import Terminal

MOST_BYTES: Final = 4 * 1024 * 1024


def read(path: Path) -> str:
    """Its text; bytes that aren't UTF-8 survive being written back. Raises Terminal when it can't be read."""
    try:
        # A pipe in its place must not hold us up.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_size > MOST_BYTES:
                raise Terminal(f"{path} isn't a small text file; look at it.")
            return file.read(MOST_BYTES).decode("utf-8", "surrogateescape")
    except OSError as error:
        raise Terminal(f"{path} can't be read ({error.strerror}); check the file and its permissions.") from None


def write(path: Path, text: str, root: Path) -> None:
    """Replace or make it, durably, with the mode and owner that it had (a new one: 0644). Raises Terminal.

    A link is followed, but not out of `root`.
    """
    try:
        target = path.resolve()
        if not target.is_relative_to(root.resolve()):
            raise Terminal(f"{path} leads out of {root}; put the file itself there.")
        _replace(target, text.encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise Terminal(
            f"{path} can't be written ({error.strerror}); check the file system and that the agent may write there."
        ) from None


def create(path: Path, text: str, root: Path) -> None:
    """Make it; raises Terminal when something of that name is there."""
    if os.path.lexists(path):
        raise Terminal(f"{path} is there already; choose another id.")
    write(path, text, root)


def remove(path: Path) -> None:
    """Remove it (a link: only the link). Raises Terminal."""
    try:
        path.unlink()
        _sync(path.parent)
    except OSError as error:
        raise Terminal(f"{path} can't be removed ({error.strerror}); check the file system.") from None


def _replace(target: Path, content: bytes) -> None:
    # Package tools skip names that begin with a dot or end otherwise than they expect.
    descriptor, name = tempfile.mkstemp(prefix=".onggi-", suffix=".new", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            try:
                found = target.stat()
                os.fchown(descriptor, found.st_uid, found.st_gid)
                os.fchmod(descriptor, stat.S_IMODE(found.st_mode))
            except FileNotFoundError:
                os.fchmod(descriptor, 0o644)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        Path(name).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
    _sync(target.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
