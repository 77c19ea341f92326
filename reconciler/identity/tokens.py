"""API tokens: what a program shows instead of a password. Each has a role and an end, and only its hash is known here.

A token begins with `onggi_` and ends with a checksum, so that scanners find one that went where it shouldn't, and know
it from what only looks like one. Of a right one nothing is remembered between two requests: one that was revoked is
nobody's with the next.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
import string
import threading
import time
import zlib
from collections.abc import Callable
from typing import Final, Protocol

from reconciler.clock import Clock, rfc3339, utc_now
from reconciler.errors import StateError
from reconciler.identity.attempts import Attempts
from reconciler.identity.identity import Identity
from reconciler.identity.logins import TooManyError
from reconciler.identity.names import TOKEN
from reconciler.identity.role import Role
from reconciler.identity.sessions import LoggedIn
from reconciler.identity.token_record import TokenRecord

log = logging.getLogger("onggi.identity")

PREFIX: Final = "onggi_"
_DIGITS: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM: Final = 43  # digits, which is 256 bits
_CHECK: Final = 6
_TOKEN: Final = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_RANDOM + _CHECK}}}")
_USED_AGAIN_S: Final = 3600.0  # so exactly is it known when a token was used last


class TokenRecords(Protocol):
    """Where they are remembered; each method raises StateError."""

    def find(self, digest: bytes) -> TokenRecord | None:
        """The token of that hash, as it is now; also one that has ended."""

    def note_use(self, number: int) -> None:
        """It was used now."""


def new_token() -> str:
    """256 random bits, and what they are known by."""
    body = PREFIX + "".join(secrets.choice(_DIGITS) for _ in range(_RANDOM))
    return body + _check(body)


def digest_of(token: str) -> bytes | None:
    """What is remembered of a token; None for what can't be one."""
    if _TOKEN.fullmatch(token) is None or _check(token[:-_CHECK]) != token[-_CHECK:]:
        return None
    return hashlib.sha256(token.encode("ascii")).digest()


class Tokens:
    """For any thread. `clock` tells when a token ends, `ticks` how long who guesses has to wait."""

    def __init__(
        self, records: TokenRecords, clock: Clock = utc_now, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        self._records = records
        self._clock = clock
        self._ticks = ticks
        self._attempts = Attempts(ticks)
        self._lock = threading.Lock()
        self._noted: dict[int, float] = {}

    def who(self, token: str, peer: str) -> LoggedIn | None:
        """Whose that is; None for what is none, is none any more, or has ended. Raises StateError, and TooManyError.

        A right one is taken whatever was tried from there before: others behind the same address may have a wrong one.
        """
        record = self._found(token)
        if record is None:
            if (wait_s := self._attempts.wait_s(peer, peer)) > 0:
                raise TooManyError(wait_s)
            self._attempts.failed(peer, peer)
            return None
        self._note_use(record.number)
        return LoggedIn(Identity(f"{TOKEN}{record.name}", maker=record.maker), Role[record.role.upper()])

    def _found(self, token: str) -> TokenRecord | None:
        digest = digest_of(token)
        record = self._records.find(digest) if digest is not None else None
        if digest is None or record is None or not hmac.compare_digest(record.digest, digest):
            return None
        if record.revoked or (record.expires and record.expires <= rfc3339(self._clock())):
            return None
        return record if record.role.upper() in Role.__members__ else None

    def _note_use(self, number: int) -> None:
        now = self._ticks()
        with self._lock:
            if now - self._noted.get(number, -_USED_AGAIN_S) < _USED_AGAIN_S:
                return
            self._noted[number] = now
        try:
            self._records.note_use(number)
        except StateError as error:
            log.warning("when the token %d was used last can't be noted: %s", number, error)


def _check(text: str) -> str:
    left = zlib.crc32(text.encode("ascii"))
    found = ""
    for _ in range(_CHECK):
        left, digit = divmod(left, len(_DIGITS))
        found = _DIGITS[digit] + found
    return found
