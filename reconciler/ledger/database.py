"""The one SQLite file behind all stores: who may read it, who may write, and what happens in one transaction.

How a file is opened is in `opening`, what it holds in `migrations`; what each table means is its store's business.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from reconciler.clock import Clock, rfc3339
from reconciler.errors import StateError
from reconciler.ledger.opening import open_for_reading, open_for_writing, transaction, translated

DATABASE_NAME = "onggi.db"


class Database:
    """Shared by the stores. Any thread may use it; what a store keeps in memory is guarded by `lock`, too.

    The writer keeps one connection. A reader opens one for each question, so that it sees what an agent beside it
    writes.
    """

    def __init__(self, folder: Path, *, readonly: bool, clock: Clock) -> None:
        """In a state folder. Who opens it for writing must hold the folder's lock. Raises StateError."""
        self.path = folder / DATABASE_NAME
        self.clock = clock
        self.lock = threading.RLock()
        self.writer = None if readonly else open_for_writing(self.path, clock=clock, set_aside=True)

    def close(self) -> None:
        """Close the file; what was written stays written."""
        with self.lock:
            if self.writer is not None:
                self.writer.close()

    def time(self) -> str:
        """Now, as it is written down."""
        return rfc3339(self.clock())

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """What is written by now. Raises StateError."""
        with self.lock:
            if self.writer is not None:
                with translated(self.path):
                    yield self.writer
                return
            with closing(open_for_reading(self.path)) as connection, translated(self.path):
                yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of the block's writes, or none. Raises StateError, also to whoever may only read."""
        if self.writer is None:
            raise StateError(
                f"the state {self.path} is open for reading; only the agent that holds its lock writes to it"
            )
        with self.lock, transaction(self.writer, self.path) as connection:
            yield connection

    @contextmanager
    def writing_beside(self) -> Iterator[sqlite3.Connection]:
        """The same for anybody, while an agent may run in another process. Raises StateError."""
        connection = open_for_writing(self.path, clock=self.clock, set_aside=False)
        with closing(connection), transaction(connection, self.path):
            yield connection
