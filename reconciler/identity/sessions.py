"""Who is logged in. A session is known here alone; its token is a random number of which only the hash is kept."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from reconciler.identity.identity import Identity
from reconciler.identity.role import Role

IDLE_S: Final = 30 * 60.0
LONGEST_S: Final = 12 * 3600.0
_MOST: Final = 10_000
_MOST_OF_ONE: Final = 32


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Somebody who proved who they are, and what they may do."""

    identity: Identity
    role: Role


@dataclass(slots=True)
class Session:
    """One login. Moments are of the monotonic clock; `checked`: when the account was looked at last, infinite for one
    that can't be.
    """

    who: LoggedIn
    begun: float
    used: float
    checked: float
    key: bytes = field(repr=False)
    lasting_s: float = LONGEST_S


class Sessions:
    """For any thread. `now` gives seconds of a clock that never goes back."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._sessions: dict[bytes, Session] = {}

    def open(self, who: LoggedIn, lasting_s: float = LONGEST_S, *, known_once: bool = False) -> str:
        """A new session's token, 256 random bits. Of too many the one that was used least lately ends. `known_once`:
        the account can't be looked at again.
        """
        token, now = secrets.token_urlsafe(32), self._now()
        key = key_of(token)
        with self._lock:
            self._end_old(now)
            self._make_room([one for one in self._sessions.values() if one.who.identity.name == who.identity.name])
            self._sessions[key] = Session(who, now, now, float("inf") if known_once else now, key, lasting_s)
        return token

    def find(self, token: str, *, counts: bool = True) -> Session | None:
        """The session of a token, which `counts` as used now; None when there is none, or no more."""
        now = self._now()
        with self._lock:
            session = self._sessions.get(key_of(token))
            if session is None or _is_over(session, now):
                return None
            if counts:
                session.used = now
            return session

    def goes_on(self, session: Session) -> bool:
        """Whether one that was found before still is one; it counts as used now."""
        now = self._now()
        with self._lock:
            if self._sessions.get(session.key) is not session or _is_over(session, now):
                return False
            session.used = now
            return True

    def lives(self, key: bytes) -> Session | None:
        """The session with that key, which doesn't count as used by the question; None when it is over."""
        with self._lock:
            session = self._sessions.get(key)
            return None if session is None or _is_over(session, self._now()) else session

    def use(self, key: bytes) -> None:
        """It is used otherwise than by a request."""
        if (session := self.lives(key)) is not None:
            session.used = self._now()

    def seen(self, session: Session, who: LoggedIn) -> bool:
        """The account was looked at again. False, and the session's end, when it may do something else by now."""
        if who.role != session.who.role:
            self.end_of(session.who.identity.name)
            return False
        session.who, session.checked = who, self._now()
        return True

    def close(self, token: str) -> None:
        """End a session, if it is one."""
        with self._lock:
            self._sessions.pop(key_of(token), None)

    def end_of(self, name: str) -> None:
        """End all of a user's."""
        with self._lock:
            for key in [key for key, one in self._sessions.items() if one.who.identity.name == name]:
                del self._sessions[key]

    def __len__(self) -> int:
        return len(self._sessions)

    def _end_old(self, now: float) -> None:
        for key in [key for key, one in self._sessions.items() if _is_over(one, now)]:
            del self._sessions[key]

    def _make_room(self, own: list[Session]) -> None:
        crowd = own if len(own) >= _MOST_OF_ONE else list(self._sessions.values()) if len(self) >= _MOST else []
        if crowd:
            del self._sessions[min(crowd, key=lambda one: one.used).key]


def _is_over(session: Session, now: float) -> bool:
    return now - session.used > IDLE_S or now - session.begun > session.lasting_s


def key_of(token: str) -> bytes:
    """What a token's session is known by. A served request takes 6 µs longer with SHA-256, a bare loop doesn't."""
    return hashlib.blake2b(token.encode("utf-8", "surrogatepass"), digest_size=32).digest()
