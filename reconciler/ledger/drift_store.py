"""What was found to differ from its document: since when, and by whose doing it ended."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from reconciler.clock import rfc3339
from reconciler.ledger.database import Database

if TYPE_CHECKING:  # who only asks for something else doesn't wait for what drift is made of
    from reconciler.ledger.drift_history import DriftRecord, Noted


class DriftStore:
    """One per ledger, for any thread; each method raises StateError when the file fails it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen = ""  # when `note` saw the open records last

    def note(self, noted: Noted) -> None:
        """Make the records agree with what a pass found. Only what differs is written."""
        from reconciler.ledger import drift_history

        now = self._database.clock()
        with self._database.lock:
            with self._database.reading() as connection:
                writes = drift_history.news(connection, noted, now, self._seen)
            if writes:
                with self._database.writing() as connection:
                    for statement, values in writes:
                        connection.execute(statement, values)
            self._seen = rfc3339(now)

    def records(self, *, healed: bool = False, since: datetime | None = None) -> list[DriftRecord]:
        """The records, oldest first: open ones, with `healed` also those that ended (not before `since`)."""
        from reconciler.ledger import drift_history

        with self._database.reading() as connection:
            return drift_history.records(connection, healed=healed, since=since)
