"""Whether QEMU's own user may read a file of this machine: it runs as one that sees less than the agent does.

libvirt hands a machine's images over to that user when it starts, but never opens the folders on the way to them.
"""

from __future__ import annotations

import stat
from functools import lru_cache
from os import stat_result
from pathlib import Path
from typing import Final

from specs.binding import parse

_DAC: Final = "host/secmodel[model='dac']/baselabel"


@lru_cache(maxsize=4)
def qemu_ids(capabilities: str) -> tuple[int, int] | None:
    """The user and group, by number, that libvirt's capabilities tell; None where they don't."""
    labels = [each.text or "" for each in parse(capabilities).iterfind(_DAC)] if capabilities else []
    for label in labels:
        user, _, group = label.partition(":")
        if user[1:].isdecimal() and group[1:].isdecimal():
            return int(user[1:]), int(group[1:])
    return None


def may_read(path: str, ids: tuple[int, int] | None) -> bool:
    """Whether it may go through every folder and read the file. True where nobody knows who it is, or for root."""
    if ids is None or ids[0] == 0:
        return True
    try:
        whole = Path(path).resolve(strict=True)
        folders = all(_may(folder.stat(), ids, stat.S_IXOTH) for folder in whole.parents)
        return folders and _may(whole.stat(), ids, stat.S_IROTH)
    except (OSError, ValueError, RuntimeError):  # it isn't there, goes round in a circle, or has a NUL in its name
        return False


def _may(found: stat_result, ids: tuple[int, int], others: int) -> bool:
    """By the class that the user is in; `others` is the bit for everybody else."""
    user, group = ids
    shift = 6 if found.st_uid == user else 3 if found.st_gid == group else 0
    return bool(found.st_mode & (others << shift))
