"""The file that says who did what: a line of JSON for each, only ever added to, for others to read and carry away.

It may be moved away at any time (logrotate needs to tell nobody): the next line begins a new one. What can't be written
keeps nothing from being done: commits carry the same names. The log of the agent tells at once, and the first line that
can be written again tells how many are missing.
"""

from __future__ import annotations

import json
import logging
import os
import stat
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from reconciler.clock import Clock, rfc3339, utc_now
from reconciler.errors import SettingsError

log = logging.getLogger("onggi.audit")

# Never what is no file: opening a pipe could wait for ever, and a link could lead into somebody else's.
_FLAGS: Final = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


class AuditLog:
    """One per agent, for any thread. Raises SettingsError for a file that can't be one."""

    def __init__(self, path: Path, clock: Clock = utc_now) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        self._file: tuple[int, int] | None = None
        self._torn = False  # the last line has no end
        self._missing = 0
        try:
            self._follow()
        except OSError as error:
            raise SettingsError(
                f"The audit log {path} can't be written ({error.strerror}); name a file of this user's that nobody "
                "else may write, or one that isn't there yet."
            ) from None

    def write(self, event: str, **values: Any) -> None:
        """Add a line. Whatever values say, it is one line of ASCII."""
        line = _line(self._clock, event, values)
        with self._lock:
            try:
                self._follow()
                if self._missing:
                    self._add(_line(self._clock, "missing", {"lines": self._missing}))
                    log.warning(
                        "the audit log %s can be written again; %d lines are missing", self._path, self._missing
                    )
                    self._missing = 0
                self._add(line)
            except OSError as error:
                if not self._missing:
                    log.error(  # noqa: TRY400  # the trace says no more
                        "the audit log %s can't be written (%s); what is done is done all the same, and stands in "
                        "commits alone until there is room and leave to write again", self._path, error.strerror,
                    )  # fmt: skip
                self._missing += 1

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._let_go()

    def _add(self, line: bytes) -> None:
        assert self._descriptor is not None  # noqa: S101  # as followed
        whole = b"\n" + line if self._torn else line
        written = os.write(self._descriptor, whole)
        self._torn = written < len(whole) and (self._torn or written > 0)
        if written < len(whole):
            raise OSError(0, "the disk is full")

    def _follow(self) -> None:
        """Have the file open that is at the path now."""
        with suppress(FileNotFoundError):
            there = self._path.lstat()
            if self._descriptor is not None and (there.st_dev, there.st_ino) == self._file:
                return
        self._let_go()
        descriptor = os.open(self._path, _FLAGS, 0o600)
        try:
            found = os.fstat(descriptor)
            _check(found)
            self._torn = found.st_size > 0 and os.pread(descriptor, 1, found.st_size - 1) != b"\n"
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor, self._file = descriptor, (found.st_dev, found.st_ino)

    def _let_go(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = self._file = None


def _check(found: os.stat_result) -> None:
    """Raises OSError for what others can write, or what is elsewhere too."""
    if not stat.S_ISREG(found.st_mode):
        raise OSError(0, "it is no ordinary file")
    if found.st_uid != os.geteuid():
        raise OSError(0, "it is another user's")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise OSError(0, "others may write it")
    if found.st_nlink != 1:
        raise OSError(0, "it has another name too")


def _line(clock: Clock, event: str, values: dict[str, Any]) -> bytes:
    said = {name: value for name, value in values.items() if value not in ("", None, [])}
    return json.dumps({"time": rfc3339(clock()), "event": event} | said, ensure_ascii=True).encode("ascii") + b"\n"
