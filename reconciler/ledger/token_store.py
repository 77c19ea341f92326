"""API tokens: made and revoked beside a running agent, which asks with each request. A hash is kept, never a token.

A name is a token's for ever, also when it is revoked: commits say who made them, and a task whose it is.
"""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from typing import Final

from reconciler.clock import rfc3339
from reconciler.errors import Conflict, NotFound
from reconciler.identity.names import looks
from reconciler.identity.token_record import TokenRecord
from reconciler.ledger.database import Database
from reconciler.ledger.kept_reading import KeptReading

_SELECT: Final = "SELECT number, name, role, maker, made, expires, used, revoked, digest FROM token"
_HANDLE: Final = 8  # bytes of a hash that one is found by; the rest is compared in a time that tells nothing


class TokenStore:
    """One per ledger, for any thread; each method raises StateError when the file fails it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept = KeptReading(database.path)

    def make(self, name: str, role: str, *, maker: str, lasts: timedelta | None, digest: bytes) -> TokenRecord:
        """Remember a new one, which `lasts` for ever when None. Raises Conflict for a name that one has or had."""
        now = self._database.clock()
        told = (name, role, maker, rfc3339(now), rfc3339(now + lasts) if lasts is not None else "")
        with self._database.writing_beside() as connection:
            for known in _all(connection):
                if looks(known.name) == looks(name):
                    raise Conflict(
                        f"There is or was a token {known.name} ({known.number}), and what it did stays in its name; "
                        "choose another name."
                    )
            number = connection.execute(
                "INSERT INTO token (name, role, maker, made, expires, used, revoked, handle, digest)"
                " VALUES (?, ?, ?, ?, ?, '', '', ?, ?)",
                (*told, digest[:_HANDLE], digest),
            ).lastrowid
        return TokenRecord(int(number or 0), *told, digest=digest)

    def revoke(self, number: int) -> TokenRecord:
        """It counts no more. Raises NotFound."""
        with self._database.writing_beside() as connection:
            found = next((record for record in _all(connection) if record.number == number), None)
            if found is None or found.revoked:
                raise NotFound(f"There is no token {number}; `onggi token list` shows those that there are.")
            connection.execute("UPDATE token SET revoked = ? WHERE number = ?", (self._database.time(), number))
        return found

    def all(self) -> list[TokenRecord]:
        """Every one that isn't revoked, in the order in which they were made."""
        with self._database.reading() as connection:
            return [record for record in _all(connection) if not record.revoked]

    def find(self, digest: bytes) -> TokenRecord | None:
        """As TokenRecords.find: as it is now, whoever else writes."""
        with self._kept.reading() as connection:
            rows = connection.execute(f"{_SELECT} WHERE handle = ?", (digest[:_HANDLE],)).fetchall()
        return next((TokenRecord(*row) for row in rows), None)

    def note_use(self, number: int) -> None:
        """As TokenRecords.note_use."""
        with self._database.writing_beside() as connection:
            connection.execute("UPDATE token SET used = ? WHERE number = ?", (self._database.time(), number))

    def close(self) -> None:
        """Let go of what is kept open for `find`."""
        self._kept.close()


def _all(connection: sqlite3.Connection) -> list[TokenRecord]:
    return [TokenRecord(*row) for row in connection.execute(f"{_SELECT} ORDER BY number").fetchall()]
