"""Writes down who asked for what, and what came of it: each request that may change something, each login and logout,
each that was refused, and each console. Who only reads is written down once an hour, by user and peer.

Nothing of a body, a query or a header is in it but the names that stand there.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

import falcon.asgi

from api.http.safe_methods import SAFE
from reconciler.identity.names import LONGEST
from reconciler.serving.audit_log import AuditLog
from reconciler.serving.client import Client

_ENTRY: Final = "onggi.audit"  # of a request's scope
_REFUSED: Final = frozenset({401, 403, 429})
_REFUSED_BY_PEER: Final = 20  # lines a minute
_REFUSED_BY_ALL: Final = 200
_MINUTE_S: Final = 60.0
_AGAIN_S: Final = 3600.0  # after which who reads is written down again
_MOST: Final = 10_000

Send = Callable[[Any], Awaitable[None]]


class Audit:
    """One per application. `audit_log` None: nothing is written down. With `has_login` who isn't known is nobody."""

    def __init__(
        self, audit_log: AuditLog | None, ticks: Callable[[], float] = time.monotonic, *, has_login: bool = False
    ) -> None:
        self.log = audit_log
        self.ticks = ticks
        self.has_login = has_login
        self._minute = ticks()
        self._refused: Counter[str] = Counter()
        self._told = 0  # of them
        self._read: dict[tuple[str, str], float] = {}

    @contextmanager
    def of(self, scope: MutableMapping[str, Any], send: Send) -> Iterator[Send]:
        """Around all that a request does; gives what its answer is sent by."""
        if self.log is None:
            yield send
            return
        entry = scope[_ENTRY] = _Entry(self, self.log, scope)

        async def noted(event: Any) -> None:
            if event["type"] == "http.response.start":
                entry.answered(event["status"])  # before it is: who got an answer finds it written down
            await send(event)

        try:
            yield noted
        finally:
            entry.end()

    def allows_refused(self, peer: str) -> bool:
        """Whether one more of somebody unknown is written down: who sends many shall not fill the disk."""
        now = self.ticks()
        if now - self._minute >= _MINUTE_S:
            self.tell_left_out()
            self._minute, self._told = now, 0
            self._refused.clear()
        self._refused[peer] += 1
        if self._refused[peer] > _REFUSED_BY_PEER or self._told >= _REFUSED_BY_ALL:
            return False
        self._told += 1
        return True

    def tell_left_out(self) -> None:
        """How many weren't written down in this minute, if any."""
        left_out = self._refused.total() - self._told
        if left_out and self.log is not None:
            self.log.write("refused", left_out=left_out, peers=len(self._refused))

    def is_news(self, user: str, peer: str) -> bool:
        """Whether it was an hour ago that who reads was written down."""
        now = self.ticks()
        if now - self._read.get((user, peer), -_AGAIN_S) < _AGAIN_S:
            return False
        if len(self._read) >= _MOST:
            self._read.clear()
        self._read[user, peer] = now
        return True


class _Entry:
    """What is known of one request so far."""

    def __init__(self, audit: Audit, audit_log: AuditLog, scope: MutableMapping[str, Any]) -> None:
        self._audit = audit
        self._log = audit_log
        self._method = str(scope["method"])
        self._path = str(scope["path"])
        self._begun = audit.ticks()
        self._lock = threading.Lock()
        self._commits: list[str] = []
        self._ended = False
        self.request: falcon.asgi.Request | None = None
        self.status: int | None = None  # none of one that was cut off before it was answered
        self.tried = ""
        self.known = False
        self.machine = ""  # whose console it is

    def committed(self, revision: str) -> None:
        """A commit was made for it; of a task's, the answer has been given."""
        with self._lock:
            if not self._ended:
                self._commits.append(revision)
                return
        self._log.write("commit", **self._who(), method=self._method, address=self._path, commit=revision)

    def has_begun_console(self, machine: str) -> None:
        """What follows is a machine's console, which may last for days."""
        self.machine = machine
        self._log.write("console", **self._who(), method=self._method, address=self._path, machine=machine, status=101)

    def answered(self, status: int) -> None:
        """It is, with this status."""
        self.status = status
        if not self.machine:
            self.end()

    def end(self) -> None:
        """Nothing more is to be told of it but commits that come later."""
        with self._lock:
            if self._ended:
                return
            self._ended = True
        event = self._event()
        if not event:
            return
        self._log.write(
            event, **self._who(), method=self._method, address=self._path,
            machine=self.machine, status=None if self.machine else self.status,
            commit=self._commits[0] if len(self._commits) == 1 else self._commits,
            tried=self.tried[:LONGEST] if not self.known else "", seconds=round(self._audit.ticks() - self._begun, 3),
        )  # fmt: skip

    def _event(self) -> str:
        """What kind of line it is; empty for none."""
        writes = self._method not in SAFE
        refused = self.status in _REFUSED and not self.known and (writes or self.tried)
        if refused or (writes and self._is_of_nobody()):
            if not self._audit.allows_refused(self._client.peer):
                return ""
            if refused:
                return "refused"
        if self.machine:
            return "console-end"
        if self._is_at("login") and self.known:
            return "login"
        if writes:
            return "logout" if self._is_at("logout") else "write"
        client = self._client
        return "read" if self.known and self._audit.is_news(client.user, client.peer) else ""

    def _is_of_nobody(self) -> bool:
        """Whether anybody could send it, in any number: what came of it proves nothing. A forge's word does."""
        done = self.status is not None and 200 <= self.status < 300
        return self._audit.has_login and not self.known and (not done or self._is_at("logout"))

    def _is_at(self, noun: str) -> bool:
        return noun in self._path.removeprefix("/plugins/kimchi").split("/")[1:2]

    @property
    def _client(self) -> Client:
        known = getattr(self.request.context, "client", None) if self.request is not None else None
        return known if isinstance(known, Client) else Client("")

    def _who(self) -> dict[str, Any]:
        client = self._client
        role = str(client.role) if self.known else ""
        user = "" if self.tried and not self.known else client.user
        return {
            "user": user, "token_maker": client.maker, "role": role, "peer": client.peer, "request": client.request_id,
        }  # fmt: skip


def note_request(request: falcon.asgi.Request) -> None:
    """Have what the request's client commits written down, too."""
    if isinstance(entry := request.scope.get(_ENTRY), _Entry):
        entry.request = request
        request.context.client = replace(request.context.client, committed=entry.committed)


def note_tried(request: falcon.asgi.Request, name: str) -> None:
    """Somebody wants to be known by this name."""
    if isinstance(entry := request.scope.get(_ENTRY), _Entry):
        entry.tried = name


def note_console(request: falcon.asgi.Request, machine: str) -> None:
    """Its connection is the console of that machine from now on."""
    if isinstance(entry := request.scope.get(_ENTRY), _Entry):
        entry.has_begun_console(machine)


def note_known(request: falcon.asgi.Request) -> None:
    """It was found out who asks."""
    if isinstance(entry := request.scope.get(_ENTRY), _Entry):
        entry.known = True
