"""As whom a child works: a user's id, group and supplementary groups, which are the kernel's to enforce."""

from __future__ import annotations

import grp
import os
import pwd
from dataclasses import dataclass
from typing import Final

_NOBODY: Final = 65534  # what every distribution calls nobody and nogroup


@dataclass(frozen=True, slots=True)
class Identity:
    """A user of this machine. `name` is for messages."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...] = ()
    home: str = "/nonexistent"

    @classmethod
    def of(cls, uid: int) -> Identity:
        """The user with this id, and the groups that the system knows of them. One that it doesn't know has none."""
        try:
            known = pwd.getpwuid(uid)
        except KeyError:
            return cls(f"uid {uid}", uid, _NOBODY)
        try:
            groups = os.getgrouplist(known.pw_name, known.pw_gid)
        except OSError:
            groups = []
        # Root's group is kept from a user as well: what it may read is ours.
        gid = known.pw_gid or _NOBODY
        return cls(known.pw_name, uid, gid, tuple(sorted({group for group in groups if group != 0})), known.pw_dir)

    @classmethod
    def nobody(cls, gid: int = 0) -> Identity:
        """Nobody in particular, with one group at most: the weakest of all who may write a place."""
        return cls("nobody", _NOBODY, gid or _NOBODY)


def is_private(gid: int, uid: int) -> bool:
    """True for a group that stands for this user alone, as most distributions make one for each user."""
    if gid == 0 and uid == 0:
        return True
    try:
        user, group = pwd.getpwuid(uid), grp.getgrgid(gid)
    except KeyError:
        return False
    return user.pw_gid == gid and set(group.gr_mem) <= {user.pw_name}
