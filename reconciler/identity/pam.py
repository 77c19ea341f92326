"""The accounts of this machine, asked through PAM in processes of their own: a module that hangs there holds up nobody
for longer than its time, and what it spoils isn't ours.
"""

from __future__ import annotations

import queue
from typing import Final

from reconciler.confined.frames import BrokenTalkError, Frame
from reconciler.confined.process import Confined, Limits
from reconciler.errors import Transient
from reconciler.identity.identity import Identity

_MODULE: Final = "reconciler.identity.pam_child"
_PATIENCE_S: Final = 15.0
_AT_ONCE: Final = 4  # failing takes PAM seconds, and who fails shall not hold up who doesn't
_WAIT_S: Final = 15.0


class PamAccounts:
    """`Accounts` of the PAM service `service`."""

    def __init__(self, service: str, patience_s: float = _PATIENCE_S) -> None:
        self._children: queue.LifoQueue[Confined] = queue.LifoQueue()
        self._all = [
            Confined(_MODULE, {"service": service}, None, Limits(patience_s=patience_s)) for _ in range(_AT_ONCE)
        ]
        for child in self._all:
            self._children.put(child)

    def proven(self, name: str, password: str) -> Identity | None:
        """As Accounts.proven."""
        return self._ask(name, [password.encode("utf-8", "surrogatepass")])

    def current(self, name: str) -> Identity | None:
        """As Accounts.current: None once it is removed, locked or expired."""
        return self._ask(name, [])

    def close(self) -> None:
        """End the processes."""
        for child in self._all:
            child.close()

    def _ask(self, name: str, parts: list[bytes]) -> Identity | None:
        try:
            child = self._children.get(timeout=_WAIT_S)
        except queue.Empty:
            raise Transient("Too many log in at once; try again in a moment.") from None
        try:
            header = child.ask(Frame({"name": name}, parts)).header
        except (BrokenTalkError, UnicodeError):
            raise Transient("PAM doesn't answer, so nobody can log in now; look at its modules.") from None
        finally:
            self._children.put(child)
        if header.get("known") is None:
            raise Transient("PAM can't ask for accounts now, so nobody can log in; look at its log.")
        if header["known"] is not True:
            return None
        return Identity(str(header["name"]), frozenset(map(str, header["groups"])))
