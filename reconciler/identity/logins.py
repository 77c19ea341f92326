"""Logging in: by a password, for one request or for a session, in bounds of how often one may try.

Whatever doesn't fit costs the same time and is told in the same words, an unknown user like a wrong password.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.errors import Transient
from reconciler.identity.attempts import Attempts
from reconciler.identity.identity import Accounts, Identity
from reconciler.identity.names import name_problem
from reconciler.identity.role import Role, role_of
from reconciler.identity.sessions import LoggedIn, Session, Sessions

LEAST_S: Final = 2.0  # what a refusal takes at least: as PAM's own, so that one doesn't tell why
_LOOK_AGAIN_S: Final = 60.0  # for which an account is taken to be as it was
_MOST_REMEMBERED: Final = 1_000


class NoRoleError(Exception):
    """The password was right, and none of the user's groups has a role here."""


class TooManyError(Exception):
    """Too many wrong passwords: the next one is looked at in `wait_s` seconds."""

    def __init__(self, wait_s: float) -> None:
        super().__init__()
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class _Remembered:
    who: LoggedIn
    until: float


class Logins:
    """For any thread; what asks for accounts may take seconds. `groups` says which groups have which role, `here` which
    of this machine's own where accounts are elsewhere, `elsewhere` which of those that another server vouches for.
    `hint` says how one logs in where that isn't by a password.
    """

    def __init__(
        self,
        accounts: Accounts,
        groups: Mapping[Role, Collection[str]],
        now: Callable[[], float] = time.monotonic,
        *,
        here: Mapping[Role, Collection[str]] | None = None,
        elsewhere: Mapping[Role, Collection[str]] | None = None,
        hint: str = "",
    ) -> None:
        self._accounts = accounts
        self._groups = groups
        self._here = groups if here is None else here
        self._elsewhere = groups if elsewhere is None else elsewhere
        self.hint = hint
        self._now = now
        self._attempts = Attempts(now)
        self._secret = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._remembered: OrderedDict[bytes, _Remembered] = OrderedDict()
        self.sessions = Sessions(now)

    def by_password(self, name: str, password: str, peer: str) -> LoggedIn | None:
        """Who that is; None for what doesn't fit. Raises NoRoleError, TooManyError, and Transient."""
        if (wait_s := self._attempts.wait_s(name, peer)) > 0:
            raise TooManyError(wait_s)
        identity = self._accounts.proven(name, password) if password and not name_problem(name) else None
        if identity is None:
            self._attempts.failed(name, peer)
            return None
        self._attempts.succeeded(name, peer)
        role = role_of(identity, self._groups)
        if role is None:
            raise NoRoleError
        return LoggedIn(identity, role)

    def remembered(self, name: str, password: str) -> LoggedIn | None:
        """Whom a password that came with a request proved a moment ago."""
        with self._lock:
            found = self._remembered.get(self._digest(name, password))
            return found.who if found is not None and found.until > self._now() else None

    def for_a_request(self, name: str, password: str, peer: str) -> LoggedIn | None:
        """As `by_password`, and remembered for a minute: such a client sends it with every request."""
        if (who := self.remembered(name, password)) is None and (who := self.by_password(name, password, peer)):
            with self._lock:
                self._remembered[self._digest(name, password)] = _Remembered(who, self._now() + _LOOK_AGAIN_S)
                while len(self._remembered) > _MOST_REMEMBERED:
                    self._remembered.popitem(last=False)
        return who

    def seen_lately(self, token: str, *, counts: bool = True) -> LoggedIn | None:
        """Whose session that is, where their account was looked at a moment ago: as `by_session`, and at once."""
        session = self.sessions.find(token, counts=counts)
        return session.who if session is not None and self._now() - session.checked <= _LOOK_AGAIN_S else None

    def still(self, session: Session) -> LoggedIn | None:
        """As `seen_lately`, of a session that was found before: it may be over by now."""
        if not self.sessions.goes_on(session):
            return None
        return session.who if session.used - session.checked <= _LOOK_AGAIN_S else None

    def needs_a_look(self, token: str, *, counts: bool = True) -> bool:
        """Whether `by_session` has to ask for the account, which may take a while."""
        session = self.sessions.find(token, counts=counts)
        return session is not None and self._now() - session.checked > _LOOK_AGAIN_S

    def by_session(self, token: str, *, counts: bool = True) -> LoggedIn | None:
        """Whose session that is; None for none, and once the account is gone or has another role. It `counts` as used,
        unless nobody has made a request by it.
        """
        session = self.sessions.find(token, counts=counts)
        if session is None:
            return None
        if self._now() - session.checked > _LOOK_AGAIN_S:
            try:
                identity = self._accounts.current(session.who.identity.name)
            except Transient:
                return session.who  # who was let in stays until it can be said again
            role = role_of(identity, self._groups) if identity is not None else None
            if identity is None or role is None:
                self.sessions.end_of(session.who.identity.name)
                return None
            if not self.sessions.seen(session, LoggedIn(identity, role)):
                return None
        return session.who

    def by_name(self, identity: Identity) -> LoggedIn | None:
        """Somebody whom the kernel names; None without a role."""
        role = role_of(identity, self._here)
        return LoggedIn(identity, role) if role is not None else None

    def by_word(self, identity: Identity) -> LoggedIn | None:
        """Somebody whom another server vouches for; None without a role."""
        role = role_of(identity, self._elsewhere)
        return LoggedIn(identity, role) if role is not None else None

    def close(self) -> None:
        """Let go of the accounts."""
        self._accounts.close()

    def _digest(self, name: str, password: str) -> bytes:
        text = f"{len(name)}:{name}{password}".encode("utf-8", "surrogatepass")
        return hmac.new(self._secret, text, hashlib.sha256).digest()
