"""A connection for reading that stays open, for what is asked with each request: opening one takes a millisecond."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.ledger.opening import open_for_reading, translated


class KeptReading:
    """Of one database file, for any thread. What others write is seen at once, a file in the place of it too."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._file: tuple[int, int] | None = None
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """What is written by now; each statement's rows have to be fetched to the end. Raises StateError."""
        with self._lock:
            try:
                found = self._path.stat()
                file = (found.st_dev, found.st_ino)
            except OSError:
                file = None
            if self._connection is None or file is None or file != self._file:
                self._close()
                self._connection, self._file = open_for_reading(self._path), file
            with translated(self._path):
                yield self._connection

    def close(self) -> None:
        """Close the file, until the next question."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
