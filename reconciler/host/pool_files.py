"""Opens files that others than root may have put where they lie: in pools, and as machines' disks.

Who may write into a pool's folder can put a link there that leads to a file of root's, a second name of one, or a FIFO
that makes whoever opens it wait for ever. So no file there is opened, and no path handed to libvirt to be opened with
root's rights, before it was looked at here. What root itself has made, or the agent's own user, counts as meant: a link
of theirs is followed, and in a folder that only they can write to a file may have several names.

Only of use for files of this machine.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

from reconciler.host.linkless import open_without_links

_LOOK: Final = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC  # opens nothing: not even a device or a FIFO notices
_READ: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_MOST_LINKS: Final = 40  # as the kernel


class TrapError(OSError):
    """A file that isn't opened. Its text is a sentence with the remedy."""


def trap(path: str) -> str:
    """Why what is at `path` isn't to be opened by anybody with root's rights; empty when it may be, and when nothing is
    there or it can't be looked at: whoever opens it will tell.
    """
    try:
        os.close(_found(path))
    except TrapError as found:
        return str(found)
    except (OSError, ValueError):
        return ""
    return ""


def open_file(path: str) -> int:
    """A descriptor to read it. Raises TrapError, and OSError when it isn't there or can't be read."""
    descriptor = _found(path)
    try:
        return os.open(f"/proc/self/fd/{descriptor}", _READ)  # this very file, whatever has taken its place
    finally:
        os.close(descriptor)


def open_plain(path: str | Path) -> int | None:
    """The same for who wants a regular file at this very place; None for anything else, whoever has made it."""
    # Looked at before it is opened, for opening a device may already do something to it; and again afterwards.
    if not stat.S_ISREG(os.lstat(path).st_mode):
        return None
    descriptor = os.open(path, _READ | os.O_NOFOLLOW)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return descriptor


def _found(path: str) -> int:
    """What is at `path`, unopened, reached so that nobody can change the way. Raises TrapError, OSError."""
    descriptor = open_without_links(path, _LOOK)
    if descriptor is None:
        return _walked(path)
    try:
        if _is_plain(os.fstat(descriptor)):
            return descriptor
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return _walked(path)


def _is_plain(found: os.stat_result) -> bool:
    """True for what is meant wherever it lies, as nearly everything is."""
    if stat.S_ISREG(found.st_mode):
        return found.st_nlink == 1
    return stat.S_ISBLK(found.st_mode) or stat.S_ISDIR(found.st_mode)


def _walked(path: str) -> int:
    """The same step by step, judging each link on the way."""
    left = path.split("/")[::-1]
    links = 0
    here = os.open("/", _LOOK)
    folder = os.fstat(here)
    try:
        while left:
            name = left.pop()
            if name in ("", "."):
                continue
            step = os.open(name, _LOOK, dir_fd=here)
            found = os.fstat(step)
            if not stat.S_ISLNK(found.st_mode):
                folder = os.fstat(here)
                os.close(here)
                here = step
                continue
            try:
                links += 1
                _check_link(path, name, found, os.fstat(here), links)
                target = os.readlink("", dir_fd=step)
            finally:
                os.close(step)
            left.extend(target.split("/")[::-1])
            if target.startswith("/"):
                os.close(here)
                here = os.open("/", _LOOK)
        _check_file(path, os.fstat(here), folder)
    except BaseException:
        os.close(here)
        raise
    return here


def _check_link(path: str, name: str, link: os.stat_result, folder: os.stat_result, count: int) -> None:
    if count > _MOST_LINKS:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
    if not _is_trusted(link.st_uid) or (link.st_nlink > 1 and not is_ours_alone(folder)):
        where = path if path.endswith(f"/{name}") else f"{name}, on the way to {path},"
        raise TrapError(
            f"{where} is a link that another user has made (uid {link.st_uid}); put the file itself there, or make the "
            "link as root."
        )


def _check_file(path: str, found: os.stat_result, folder: os.stat_result) -> None:
    mode = found.st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode) or stat.S_ISDIR(mode)):
        raise TrapError(f"{path} is neither a file nor a disk (but a FIFO, a socket or the like); remove it.")
    if stat.S_ISREG(mode) and found.st_nlink > 1 and not is_ours_alone(folder):
        raise TrapError(
            f"{path} has other names as well (hard links), in a folder that others than root can write to; put a copy "
            "in its place, or let only root write there."
        )


def is_ours_alone(folder: os.stat_result) -> bool:
    """True when nobody but root and the agent's own user can put anything in there."""
    others = stat.S_IWOTH if folder.st_gid == 0 else stat.S_IWOTH | stat.S_IWGRP
    return _is_trusted(folder.st_uid) and not folder.st_mode & others


def _is_trusted(uid: int) -> bool:
    return uid in (0, os.geteuid())
