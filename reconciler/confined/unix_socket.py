"""A Unix socket to serve on: the kernel says which user is at the other end, so that nobody has to log in.

Who may connect is decided by the file's mode and group, and by the folders on the way to it: nobody else may write
those, or somebody could put a socket of their own in its place.
"""

from __future__ import annotations

import os
import socket
import stat
import struct
from pathlib import Path
from typing import Final

from reconciler.confined.trust import Judgement
from reconciler.errors import SettingsError

_LONGEST: Final = 107  # bytes of a path, as the kernel takes it
_BACKLOG: Final = 128
_FOR_ROOT: Final = 0o600
_FOR_A_GROUP: Final = 0o660
_CREDENTIALS: Final = struct.Struct("=iII")  # SO_PEERCRED: process, user, group


class UnixSocket:
    """The socket at `path`, for root and the members of `group`, or the user with the number `owner`.

    Made by `open`, removed by `close`.
    """

    def __init__(self, path: Path, group: str = "", owner: int | None = None) -> None:
        self.path = path
        self._group = group
        self._owner = owner
        self._inode: tuple[int, int] | None = None

    def open(self) -> socket.socket:
        """Listen. What an agent that was killed has left there is replaced. Raises SettingsError."""
        group = self._group_number()
        self._check_place()
        self._remove_left_behind()
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o777 & ~_FOR_ROOT)
        try:
            made.bind(str(self.path))
        except OSError as error:
            made.close()
            raise SettingsError(f"The socket {self.path} can't be made ({error.strerror}).") from None
        finally:
            os.umask(before)
        status = os.lstat(self.path)
        self._inode = (status.st_dev, status.st_ino)
        if group is not None:
            os.chown(self.path, -1, group)
            self.path.chmod(_FOR_A_GROUP)
        if self._owner is not None:
            os.chown(self.path, self._owner, -1)
        made.listen(_BACKLOG)
        return made

    def close(self) -> None:
        """Remove the file, unless it is another one by now."""
        try:
            status = os.lstat(self.path)
            if (status.st_dev, status.st_ino) == self._inode:
                self.path.unlink()
        except OSError:
            pass

    def _group_number(self) -> int | None:
        import grp

        if not self._group:
            return None
        try:
            return grp.getgrnam(self._group).gr_gid
        except KeyError:
            raise SettingsError(
                f"There is no group {self._group!r}; make it, or give another one as socket-group."
            ) from None

    def _check_place(self) -> None:
        if len(os.fsencode(self.path)) > _LONGEST:
            raise SettingsError(
                f"The path of the socket {self.path} is longer than {_LONGEST} bytes; take a shorter one."
            )
        judgement = Judgement()
        try:
            found = judgement.way(self.path.parent)
        except OSError as error:
            found, reason = None, error.strerror
        else:
            reason = "there is none"
        if found is None or not os.path.isdir(found):  # noqa: PTH112  # of a real path, as it was judged
            raise SettingsError(f"The folder of the socket {self.path} can't be entered ({reason}); make it.")
        if (others := judgement.others) is not None:
            raise SettingsError(
                f"{others.where} may be changed by {others.who}, who could put a socket there that isn't this agent's; "
                "take a folder that is root's alone, such as /run/onggi."
            )

    def _remove_left_behind(self) -> None:
        try:
            status = os.lstat(self.path)
        except OSError:
            return
        if not stat.S_ISSOCK(status.st_mode):
            raise SettingsError(f"{self.path} is there, and is no socket; remove it, or take another path.")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asked:
            asked.settimeout(1)
            try:
                asked.connect(str(self.path))
            except ConnectionRefusedError:  # nobody listens any more
                self.path.unlink()
                return
            except OSError:
                pass
        raise SettingsError(f"Somebody listens on {self.path} already; end who does, or take another path.")


def user_of(connection: socket.socket | None) -> int | None:
    """The user who has connected to a Unix socket, on the kernel's word; None for any other connection."""
    if connection is None or connection.family != socket.AF_UNIX:
        return None
    try:
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    except OSError:
        return None
    return int(_CREDENTIALS.unpack(credentials)[1])
