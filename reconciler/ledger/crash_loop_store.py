"""Machines that end soon after each start, remembered for the agent's next run."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.ledger.database import Database
from specs.reference import Ref


class CrashLoopStore:
    """One per ledger, for any thread; each method raises StateError when the file fails it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> Mapping[Ref, str]:
        """What `keep` was given last."""
        with self._database.reading() as connection:
            return {Ref(*row[:2]): row[2] for row in connection.execute("SELECT kind, name, runs FROM crash_loop")}

    def keep(self, loops: Mapping[Ref, str]) -> None:
        """Remember these and no others. Only what differs is written."""
        with self._database.lock:
            if self.all() == loops:
                return
            with self._database.writing() as connection:
                connection.execute("DELETE FROM crash_loop")
                connection.executemany(
                    "INSERT INTO crash_loop VALUES (?, ?, ?)", ((*ref, runs) for ref, runs in loops.items())
                )
