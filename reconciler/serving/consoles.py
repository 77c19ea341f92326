"""Who may open which machine's console, by a ticket, and who has one open.

A ticket is a random number that is good once, for a moment, for who was given it and one machine's one console. Nobody
keeps it but who got it: only its hash is known here.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from reconciler.serving.client import Client

TICKET_S: Final = 30.0
_MOST: Final = 4096
_MOST_OF_ONE: Final = 256


class ConsoleKind(StrEnum):
    """What of a machine is shown."""

    VNC = "vnc"
    SERIAL = "serial"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who was given a ticket: a user, and the session that they asked in; without a session empty."""

    user: str
    session: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a ticket stands for. The machine goes by its UUID: another of its name is another."""

    uid: str
    kind: ConsoleKind
    holder: Holder
    client: Client
    read_only: bool = False
    take_over: bool = False


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A serial line that somebody has. `end` sends them away with a sentence, and returns when they have gone."""

    user: str
    end: Callable[[str], None]


class Consoles:
    """For any thread. `now` gives seconds of a clock that never goes back."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._tickets: dict[bytes, tuple[Claim, float]] = {}  # the oldest first
        self._lines: dict[str, OpenLine] = {}

    def ticket(self, claim: Claim) -> str:
        """A new one, 256 random bits. Of too many the oldest goes."""
        made, now = secrets.token_urlsafe(32), self._now()
        with self._lock:
            self._tickets = {key: each for key, each in self._tickets.items() if each[1] > now}
            own = [key for key, (known, _) in self._tickets.items() if known.holder.user == claim.holder.user]
            if len(own) >= _MOST_OF_ONE or len(self._tickets) >= _MOST:
                del self._tickets[own[0] if own else next(iter(self._tickets))]
            self._tickets[_key(made)] = claim, now + TICKET_S
        return made

    def redeem(self, ticket: str, holder: Holder, uid: str) -> Claim | None:
        """What it stands for; None for what is no ticket, or none any more, or somebody else's, or another machine's.
        Whatever it was, it is none afterwards.
        """
        with self._lock:
            claim, until = self._tickets.pop(_key(ticket), (None, 0.0))
        fits = claim is not None and until > self._now() and claim.holder == holder and claim.uid == uid
        return claim if fits else None

    def redeem_held(self, holder: Holder, peer: str, uid: str, kind: ConsoleKind) -> Claim | None:
        """The same for who can't show the ticket that they were given for a machine's console: what the oldest such
        ticket stands for, which is none afterwards. Who asked in no session has to come from where they asked.
        """
        now = self._now()
        with self._lock:
            for key, (claim, until) in self._tickets.items():
                same_peer = bool(holder.session) or claim.client.peer == peer
                if until > now and same_peer and (claim.holder, claim.uid, claim.kind) == (holder, uid, kind):
                    del self._tickets[key]
                    return claim
        return None

    def line(self, uid: str) -> OpenLine | None:
        """Who has a machine's serial line through here."""
        with self._lock:
            return self._lines.get(uid)

    def opened(self, uid: str, line: OpenLine) -> None:
        """Somebody has it from now on."""
        with self._lock:
            self._lines[uid] = line

    def closed(self, uid: str, line: OpenLine) -> None:
        """They don't any more; who has taken it over still does."""
        with self._lock:
            if self._lines.get(uid) is line:
                del self._lines[uid]


def _key(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode("utf-8", "surrogatepass")).digest()
