"""What was told: each matter once when it begins, and once when it ends, also after a restart.

A matter is an object and a reason. What counts as one is decided in `reporting/matters`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from reconciler.ledger import history
from reconciler.ledger.database import Database
from specs.reference import Ref

Key = tuple[Ref, str]

OVER = "resolved"  # the result of the event that ends a matter

_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Notice:
    """One matter. `since` is when it was told first."""

    ref: Ref
    reason: str  # CamelCase
    message: str
    since: str


@dataclass(frozen=True, slots=True)
class News:
    """What a pass has to tell."""

    begun: tuple[Notice, ...] = ()
    ended: tuple[Notice, ...] = ()


class NoticeStore:
    """One per ledger, for any thread; each method raises StateError when the file fails it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[Key, Notice] | None = None  # of the writer, which nobody writes beside

    def open(self) -> Mapping[Key, Notice]:
        """What was told of and goes on."""
        with self._database.lock:
            if self._known is None:
                with self._database.reading() as connection:
                    rows = connection.execute("SELECT kind, name, reason, message, since FROM notice").fetchall()
                self._known = {(Ref(*row[:2]), row[2]): Notice(Ref(*row[:2]), *row[2:]) for row in rows}
            return dict(self._known)

    def tell(
        self,
        wanted: Mapping[Key, str],
        revision: str,
        *,
        lasting: Collection[str] = (),
        unjudged: Callable[[Ref, str], bool] = lambda _ref, _reason: False,
    ) -> News:
        """Make `wanted` what goes on, add an event for each that begins or ends, and give those.

        A matter whose sentence has changed begins anew, unless its reason is a `lasting` one. Of what is `unjudged`
        nothing is known now, so that nothing of it begins or ends. Only what differs is written.
        """
        with self._database.lock:
            known = self.open()
            wanted = {key: _bounded(message) for key, message in wanted.items() if not unjudged(*key)}
            time = self._database.time()
            begun = [
                Notice(*key, message, time)
                for key, message in wanted.items()
                if (before := known.get(key)) is None or (before.message != message and key[1] not in lasting)
            ]
            ended = [notice for key, notice in known.items() if key not in wanted and not unjudged(*key)]
            if begun or ended:
                with self._database.writing() as connection:
                    _write(connection, begun, ended, revision, time)
                gone = {(notice.ref, notice.reason) for notice in ended}
                after = {key: notice for key, notice in known.items() if key not in gone}
                self._known = after | {(notice.ref, notice.reason): notice for notice in begun}
            return News(tuple(begun), tuple(ended))


def _write(
    connection: sqlite3.Connection, begun: Iterable[Notice], ended: Iterable[Notice], revision: str, time: str
) -> None:
    for notice in ended:
        connection.execute(
            "DELETE FROM notice WHERE kind = ? AND name = ? AND reason = ?", (*notice.ref, notice.reason)
        )
        message = f"{notice.reason} is over: {notice.message}"
        history.add(connection, notice.ref, "Normal", OVER, message, revision, "reconcile", time)
    for notice in begun:
        row = (*notice.ref, notice.reason, notice.message, notice.since)
        connection.execute("INSERT OR REPLACE INTO notice VALUES (?, ?, ?, ?, ?)", row)
        history.add(connection, notice.ref, "Warning", notice.reason, notice.message, revision, "reconcile", time)


def _bounded(message: str) -> str:
    return message if len(message) <= _LONGEST else f"{message[: _LONGEST - 1]}…"
