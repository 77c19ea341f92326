"""Tells which file system a folder is on, and whether other machines write to that as well."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_OF_ONE_MACHINE: Final = frozenset(
    {
        "bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "fuseblk", "hugetlbfs", "iso9660", "jfs", "msdos",
        "nilfs2", "ntfs", "ntfs3", "overlay", "ramfs", "reiserfs", "squashfs", "tmpfs", "udf", "ufs", "vfat", "xfs",
        "zfs",
    }
)  # fmt: skip
_MOUNTS: Final = Path("/proc/self/mountinfo")


def is_shared(folder: str) -> bool:
    """True when another machine may change the folder: all but the file systems that are known for one machine's."""
    try:
        return file_system(os.path.realpath(folder), _MOUNTS.read_text(errors="surrogateescape")) not in _OF_ONE_MACHINE
    except OSError:
        return True


def file_system(path: str, mounts: str) -> str:
    """The type of the file system on which an absolute path is, by the text of `mountinfo`; empty when that has none.

    Of several that are mounted at one place the last covers the others.
    """
    longest, found = -1, ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) <= _PLACE or not after:
            continue
        place = _unescaped(fields[_PLACE]).rstrip("/")
        if (path == place or path.startswith(f"{place}/")) and len(place) >= longest:
            longest, found = len(place), after.split(" ")[0]
    return found


_PLACE: Final = 4  # the mount point is the fifth field


def _unescaped(text: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text
