"""What is being made: written down before it is there, so that a process that is killed leaves nothing half-made that
looks whole.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from reconciler.ledger import intents
from reconciler.ledger.database import Database
from reconciler.ledger.task_store import TaskStore
from specs.reference import Ref


class IntentStore:
    """One per ledger, for any thread; each method raises StateError when the file fails it.

    What is begun, whole and finished, `Ledger.change` is told.
    """

    def __init__(self, database: Database, tasks: TaskStore) -> None:
        self._database = database
        self._tasks = tasks
        self._making: set[Ref] = set()  # by this process

    def unfinished(self) -> tuple[Ref, ...]:
        """What was begun, isn't whole, and isn't being made by this process now."""
        return self._left(whole=False)

    def uncommitted(self) -> tuple[Ref, ...]:
        """What an earlier process has made whole for a task, and then perhaps hasn't committed the documents for."""
        return self._left(whole=True)

    def give_up(self, refs: Iterable[Ref]) -> None:
        """Say that nobody is making these any more and how far they came is unknown: they are `unfinished` now."""
        with self._database.lock:
            self._making.difference_update(refs)

    def end(self, ref: Ref, came_of: intents.CameOf) -> None:
        """Finish one that nobody is making any more; the task that it was for tells what came of it."""
        with self._database.lock:
            with self._database.writing() as connection:
                self._tasks.tell(connection, ref, came_of, self._database.time())
                intents.finish(connection, (ref,))
            self._making.discard(ref)

    def write(
        self,
        connection: sqlite3.Connection,
        *,
        begin: Iterable[Ref],
        whole: Iterable[Ref],
        finish: Iterable[Ref],
        note: str,
        task: int,
    ) -> None:
        """A part of `Ledger.change`, before its commit."""
        intents.finish(connection, finish)
        intents.begin(connection, begin, note, self._database.time(), task)
        intents.whole(connection, whole)

    def written(self, begun: Iterable[Ref], finished: Iterable[Ref]) -> None:
        """The same, after its commit."""
        self._making.difference_update(finished)
        self._making.update(begun)

    def _left(self, *, whole: bool) -> tuple[Ref, ...]:
        with self._database.reading() as connection:
            return tuple(ref for ref in intents.all_of(connection, whole=whole) if ref not in self._making)
