"""Long tasks: those of this process, and what is found out about those of earlier ones."""

from __future__ import annotations

import sqlite3

from reconciler.ledger import intents, task_records
from reconciler.ledger.database import Database
from reconciler.ledger.task_records import TaskRecord
from specs.reference import Ref


class TaskStore:
    """One per ledger, for any thread; each method raises StateError when the file fails it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._living: set[int] = set()  # of this process
        self._late: list[TaskRecord] = []

    def begin(self, target: str, message: str, who: str, owner: str = "") -> TaskRecord:
        """Note a task that begins. `target` is the address of what it works on; `owner` none: an administrator's."""
        with self._database.writing() as connection:
            record = task_records.add(connection, target, message, who, self._database.time(), owner)
            self._living.add(record.id)
            return record

    def end(self, number: int, status: str, message: str) -> None:
        """Note how a task ended: finished or failed."""
        with self._database.writing() as connection:
            task_records.end(connection, number, status, message, self._database.time())
            self._living.discard(number)

    def interrupt(self, message: str) -> None:
        """Note that an earlier process took every task that ran with it.

        `message` is for those of which no volume is left to be looked after.
        """
        with self._database.writing() as connection:
            time = self._database.time()
            for ref in intents.of_tasks(connection):
                self._fail_late(connection, ref, intents.CameOf.UNDECIDED, time)
            task_records.interrupt(connection, message, time)

    def tell(self, connection: sqlite3.Connection, ref: Ref, came_of: intents.CameOf, time: str) -> None:
        """Have the task that a volume was for say what came of it, in a transaction that is under way. One of this
        process tells of itself.
        """
        if (told := self._fail_late(connection, ref, came_of, time)) is not None:
            self._late.append(told)

    def take_late(self) -> list[TaskRecord]:
        """Tasks that `tell` has had say more since this was asked last."""
        with self._database.lock:
            taken, self._late = self._late, []
        return taken

    def all(self) -> list[TaskRecord]:
        """Every task that is remembered, oldest first."""
        with self._database.reading() as connection:
            return task_records.all_of(connection)

    def _fail_late(
        self, connection: sqlite3.Connection, ref: Ref, came_of: intents.CameOf, time: str
    ) -> TaskRecord | None:
        number = intents.task_of(connection, ref)
        if not number or number in self._living:
            return None
        return task_records.fail_late(connection, number, came_of.of(ref), intents.CameOf.UNDECIDED.of(ref), time)
