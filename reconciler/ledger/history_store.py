"""What happened: the events that people read, and the steps of which nobody knows yet how they ended."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from reconciler.ledger import history
from reconciler.ledger.database import Database
from reconciler.ledger.records import Origin
from specs.reference import Ref

if TYPE_CHECKING:
    from reconciler.ledger.records import Event, InDoubt
    from reconciler.planning.plan import Step
    from reconciler.status.outcome import StepOutcome

OURS: Final = Origin()  # nobody asked for it


class HistoryStore:
    """One per ledger, for any thread; each method raises StateError when the file fails it.

    Which steps are begun, `Ledger.change` is told.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._working: set[Ref] = set()  # steps of this process that haven't been recorded yet
        self._lost: set[Ref] = set()  # of these, the ones whose record won't tell what came of them

    def record(self, outcomes: Iterable[StepOutcome], revision: str, origin: Origin = OURS) -> None:
        """Add outcomes to the history (the last 10,000 events are kept). `origin` tells who asked for it."""
        outcomes = tuple(outcomes)
        if outcomes:
            with self._database.lock:
                refs = {outcome.step.ref for outcome in outcomes}
                self._working -= refs  # also when this fails: they are cut off then
                with self._database.writing() as connection:
                    history.record(connection, outcomes, revision, origin, self._database.time())
                    history.end(connection, refs - self._lost)
                self._lost -= refs

    def warn(self, ref: Ref, result: str, message: str, revision: str, who: str = "reconcile") -> None:
        """Add an event about an object that is no outcome of a step, such as that somebody undoes what is done."""
        with self._database.writing() as connection:
            history.add(connection, ref, "Warning", result, message, revision, who, self._database.time())

    def events(self, limit: int = 100, ref: Ref | None = None, since: datetime | None = None) -> list[Event]:
        """The last `limit` events, oldest first; of one object, and not before `since`, when given."""
        with self._database.reading() as connection:
            return history.events(connection, limit, ref, since)

    def news(self, after: int, since: str = "~", limit: int = 1000) -> list[tuple[int, Event]]:
        """The events behind the one numbered `after`, oldest first, with their numbers.

        Also earlier ones from `since` (RFC 3339) on, which may have been counted up; without it none.
        """
        with self._database.reading() as connection:
            return history.news(connection, after, since, limit)

    def begun_anew(self, kind: str) -> dict[Ref, int]:
        """By object of a kind, the number of the first event that may be about it, and not about one of the same name
        before it. Absent: every one may.
        """
        with self._database.reading() as connection:
            return history.begun_anew(connection, kind)

    def told_of(self, kind: str) -> list[Ref]:
        """Every object of a kind that an event is about, also those that are gone."""
        with self._database.reading() as connection:
            return history.names_of(connection, kind)

    def newest(self) -> int:
        """The number of the newest event; 0 when there is none."""
        with self._database.reading() as connection:
            return history.last_event(connection)

    def working(self) -> frozenset[Ref]:
        """What steps of this process are begun for whose outcome isn't recorded yet."""
        with self._database.lock:
            return frozenset(self._working)

    def in_doubt(self) -> tuple[InDoubt, ...]:
        """The begun steps of which nobody knows how they ended, after a kill, a lost connection or a full disk.

        Whoever finds that out has to `record` an outcome for each.
        """
        with self._database.reading() as connection:
            return tuple(found for found in history.begun(connection) if found.step.ref not in self._working)

    def lose(self, steps: Iterable[Ref]) -> None:
        """Say that the host can't tell now what came of these steps: recorded or not, they are `in_doubt`."""
        with self._database.lock:
            self._lost.update(steps)

    def write(self, connection: sqlite3.Connection, steps: Iterable[Step], revision: str) -> None:
        """A part of `Ledger.change`, before its commit."""
        history.begin(connection, steps, revision)

    def written(self, steps: Iterable[Step]) -> None:
        """The same, after its commit."""
        self._working.update(step.ref for step in steps)
