"""The state folder and its lock: one agent for one state, for as long as its process lives.

The kernel holds the lock, so that it ends with the process however that ends, `kill -9` included. Who only reads
(status, get, events) opens the folder without it. What lies in the folder is the ledger's and the source's business.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from reconciler.errors import StateError
from reconciler.ledger.state_place import check_place

LOCK_NAME = "lock"

# `onggi status` takes the lock for an instant to see whether somebody holds it: an agent that starts then tries again.
_ATTEMPTS = 5
_PAUSE_S = 0.02


class StateFolder:
    """An opened state folder. Use as a context manager or call `close`; an exclusive one holds the lock until then."""

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def open(cls, path: Path | str, *, exclusive: bool) -> StateFolder:
        """Open `path`, made with mode 0700 when missing.

        `exclusive` takes the lock and proves that the folder can be written. Raises StateError: another agent has the
        lock, others may write the folder, it can't be made, read or written, or the disk is full.
        """
        folder = Path(path).expanduser().absolute()
        check_place(folder)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise StateError(
                f"the state folder {folder} can't be made because a file is in its way; "
                "remove it or choose another folder with --state"
            ) from None
        except OSError as error:
            raise _state_error(folder, error) from error
        if not exclusive:
            if not os.access(folder, os.R_OK | os.X_OK):
                raise StateError(
                    f"the state folder {folder} can't be read; run onggi as its owner or choose another with --state"
                )
            return cls(folder, None)
        try:
            return cls(folder, _lock(folder))
        except OSError as error:
            raise _state_error(folder, error) from error

    @staticmethod
    def holder(path: Path | str) -> int | None:
        """The process id of the agent that has the folder now; None when there is none (0: it is just starting)."""
        try:
            descriptor = os.open(Path(path).expanduser() / LOCK_NAME, os.O_RDONLY)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _read_pid(descriptor)
        finally:
            os.close(descriptor)
        return None

    def close(self) -> None:
        """Let go of the lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _lock(folder: Path) -> int:
    # The file is never removed: whoever unlinked it could leave two agents with a lock each, on two files.
    descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _acquire(descriptor, folder)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)  # a full disk shows here
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _acquire(descriptor: int, folder: Path) -> None:
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE_S)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        return
    pid = _read_pid(descriptor)
    who = f"another onggi (process {pid})" if pid else "another onggi"
    raise StateError(
        f"the state folder {folder} is in use by {who}; "
        "stop that one first, or give this one a folder of its own with --state"
    )


def _read_pid(descriptor: int) -> int:
    text = os.pread(descriptor, 32, 0).strip()
    return int(text) if text.isdigit() else 0


def _state_error(folder: Path, error: OSError) -> StateError:
    if error.errno == errno.ENOSPC:
        return StateError(
            f"the disk of the state folder {folder} is full; free some space, or choose another with --state"
        )
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return StateError(
            f"the state folder {folder} can't be written ({os.strerror(error.errno)}); "
            "make it writable for onggi's user, or choose another with --state"
        )
    reason = os.strerror(error.errno) if error.errno else str(error)
    return StateError(
        f"the state folder {folder} can't be used ({reason}); correct that, or choose another with --state"
    )
