"""Secrets that lie in a file of the host: read when they are needed, so that one can be renewed without a restart.

The secret goes to who asks and nowhere else: no error, log or `repr` of this module holds it.
"""

from __future__ import annotations

import logging
import os
import stat
import threading
from pathlib import Path

from reconciler.errors import Terminal

log = logging.getLogger("onggi.secrets")

_MOST_BYTES = 64 * 1024


class SecretFile:
    """A text file with one secret a line; empty lines don't count. `purpose` names it in messages: the setting's key.

    More than one line lets a secret be renewed: the old one and the new one are both good for a while.
    """

    def __init__(self, path: Path, purpose: str) -> None:
        self.path = path
        self._purpose = purpose
        self._lock = threading.Lock()
        self._state: tuple[int, ...] = ()
        self._secrets: tuple[bytes, ...] = ()

    def secrets(self) -> tuple[bytes, ...]:
        """All of them, at least one. Cheap while the file stays as it is. Raises Terminal when there is none to use."""
        with self._lock:
            try:
                # The open file is the one that is judged and read, whatever the path names a moment later. A pipe in
                # its place must not hold us up.
                descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
                with os.fdopen(descriptor, "rb") as file:
                    found = os.fstat(file.fileno())
                    state = (found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
                    if state != self._state or not self._secrets:
                        self._secrets = ()
                        self._judge(found)
                        self._secrets = tuple(filter(None, (line.strip() for line in file.read().splitlines())))
                        self._state = state
            except OSError as error:
                raise Terminal(
                    f"The {self._purpose} {self.path} can't be read ({error.strerror}); put the secret there."
                ) from None
            if not self._secrets:
                raise Terminal(f"The {self._purpose} {self.path} is empty; write the secret into it.")
            return self._secrets

    def text(self) -> str:
        """The first of them, where only one can be used. Raises Terminal as well when it isn't text."""
        try:
            return self.secrets()[0].decode()
        except UnicodeDecodeError:
            raise Terminal(f"The {self._purpose} {self.path} isn't UTF-8; write the secret as text.") from None

    def _judge(self, found: os.stat_result) -> None:
        if not stat.S_ISREG(found.st_mode) or found.st_size > _MOST_BYTES:
            raise Terminal(f"The {self._purpose} {self.path} isn't a small text file; name the file with the secret.")
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise Terminal(
                f"The {self._purpose} {self.path} can be changed by other users; make it your own with chmod 600."
            )
        if found.st_mode & (stat.S_IRGRP | stat.S_IROTH):
            log.warning(
                "the %s %s can be read by other users; chmod 600 keeps it to this one", self._purpose, self.path
            )
