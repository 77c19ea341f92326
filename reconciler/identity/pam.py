"""The accounts of this machine, asked through PAM by somebody else: a module that hangs there holds up nobody for
longer than its time, and what it spoils isn't ours.
"""

from __future__ import annotations

import logging
import os
import queue
import socket
import time
from pathlib import Path
from typing import Final, Protocol

from reconciler.confined.frames import BrokenTalkError, Frame, Most, receive, send
from reconciler.confined.process import Confined, Limits
from reconciler.confined.unix_socket import user_of
from reconciler.errors import Transient
from reconciler.identity.identity import Identity

log = logging.getLogger("onggi.pam")

AT_ONCE: Final = 4  # failing takes PAM seconds, and who fails shall not hold up who doesn't
PATIENCE_S: Final = 15.0
MOST: Final = Most(parts=1, size=1 << 16)  # of a question or an answer
_MODULE: Final = "reconciler.identity.pam_child"
_WAIT_S: Final = 15.0


class Asked(Protocol):
    """Who asks PAM: see `pam_child` for what is said. For any thread."""

    def ask(self, question: Frame) -> Frame:
        """The answer. Raises BrokenTalkError, and Transient where too many ask."""

    def close(self) -> None:
        """Let go of what is held."""


class PamChildren:
    """Processes of our own, for the PAM service `service`. Who isn't root finds out their own password there, and no
    other.
    """

    def __init__(self, service: str, patience_s: float = PATIENCE_S) -> None:
        self._children: queue.LifoQueue[Confined] = queue.LifoQueue()
        limits = Limits(patience_s=patience_s)
        self._all = [Confined(_MODULE, {"service": service}, None, limits) for _ in range(AT_ONCE)]
        for child in self._all:
            self._children.put(child)

    def ask(self, question: Frame) -> Frame:
        """As Asked.ask."""
        try:
            child = self._children.get(timeout=_WAIT_S)
        except queue.Empty:
            raise Transient("Too many log in at once; try again in a moment.") from None
        try:
            return child.ask(question)
        finally:
            self._children.put(child)

    def close(self) -> None:
        """End the processes."""
        for child in self._all:
            child.close()


class PamHelper:
    """Root's `onggi pam`, which listens on the Unix socket at `path`. See `pam_helper`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def ask(self, question: Frame) -> Frame:
        """As Asked.ask. Nobody but root is told a password."""
        deadline = time.monotonic() + _WAIT_S + PATIENCE_S
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            try:
                connection.settimeout(_WAIT_S)
                connection.connect(str(self._path))
            except OSError as error:
                raise self._isnt_there(f"isn't answered ({error.strerror})") from None
            if user_of(connection) not in (0, os.geteuid()):
                raise self._isnt_there("is another user's")
            connection.setblocking(False)
            send(connection.fileno(), question, deadline)
            return receive(connection.fileno(), MOST, deadline)

    def _isnt_there(self, why: str) -> Transient:
        log.warning("%s %s, so nobody can log in; have root run `onggi pam` there", self._path, why)
        return Transient("Who asks PAM isn't there, so nobody can log in now; root starts `onggi pam`.")

    def close(self) -> None:
        """There is nothing to let go of."""


class PamAccounts:
    """`Accounts` of this machine."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    def proven(self, name: str, password: str) -> Identity | None:
        """As Accounts.proven."""
        return self._ask(name, [password.encode("utf-8", "surrogatepass")])

    def current(self, name: str) -> Identity | None:
        """As Accounts.current: None once it is removed, locked or expired."""
        return self._ask(name, [])

    def close(self) -> None:
        """As Asked.close."""
        self._asked.close()

    def _ask(self, name: str, parts: list[bytes]) -> Identity | None:
        try:
            header = self._asked.ask(Frame({"name": name}, parts)).header
        except (BrokenTalkError, UnicodeError):
            raise Transient("PAM doesn't answer, so nobody can log in now; look at its modules.") from None
        if header.get("known") is None:
            raise Transient("PAM can't ask for accounts now, so nobody can log in; look at its log.")
        if header["known"] is not True:
            return None
        return Identity(str(header["name"]), frozenset(map(str, header["groups"])))
