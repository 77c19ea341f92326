"""The ledger's table of volumes that are being made. Functions over a connection; transactions and locks are the
store's.

An entry is there before its volume, and half-made until the volume is whole. One of a long task stays after that, until
what the task commits for it is committed: a process that is killed in between leaves a volume that is whole, ours, and
asked for by nobody.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from enum import Enum

from specs.reference import Ref


class CameOf(Enum):
    """What came of a volume that was being made when its process ended, as its task tells."""

    REMOVED = "{ref}, which was made for it, was removed."
    GONE = "{ref}, which was to be made for it, isn't there."
    USED = "{ref}, which was made for it, stays: something on the host uses it."
    DECLARED = "{ref}, which was made for it, stays: a document asks for it. What was committed is still being made."
    UNDECIDED = (
        "{ref}, which was made for it, is still there: it is removed once its pool and the repository's documents can "
        "be read, unless one asks for it or something uses it."
    )

    def of(self, ref: Ref) -> str:
        """The sentence."""
        return self.value.format(ref=ref)


def begin(connection: sqlite3.Connection, refs: Iterable[Ref], note: str, time: str, task: int) -> None:
    """These are about to be made; `task` is the number of the task that they are for, 0 for none."""
    connection.executemany(
        "INSERT OR REPLACE INTO intent (kind, name, note, time, task, whole) VALUES (?, ?, ?, ?, ?, 0)",
        ((ref.kind, ref.name, note, time, task) for ref in refs),
    )


def whole(connection: sqlite3.Connection, refs: Iterable[Ref]) -> None:
    """These have all their bytes, and wait for what their task commits."""
    connection.executemany("UPDATE intent SET whole = 1 WHERE kind = ? AND name = ?", _keys(refs))


def finish(connection: sqlite3.Connection, refs: Iterable[Ref]) -> None:
    """Nothing is to be done about these any more."""
    connection.executemany("DELETE FROM intent WHERE kind = ? AND name = ?", _keys(refs))


def all_of(connection: sqlite3.Connection, *, whole: bool) -> list[Ref]:
    """What is half-made, or what is whole and waits for its commit."""
    rows = connection.execute("SELECT kind, name FROM intent WHERE whole = ? ORDER BY kind, name", (whole,))
    return [Ref(*row) for row in rows]


def of_tasks(connection: sqlite3.Connection) -> list[Ref]:
    """What is being made, or was, for any task."""
    return [
        Ref(*row) for row in connection.execute("SELECT kind, name FROM intent WHERE task != 0 ORDER BY kind, name")
    ]


def task_of(connection: sqlite3.Connection, ref: Ref) -> int:
    """The number of the task that it is for; 0 for none."""
    found = connection.execute("SELECT task FROM intent WHERE kind = ? AND name = ?", (ref.kind, ref.name)).fetchone()
    return int(found[0]) if found is not None else 0


def _keys(refs: Iterable[Ref]) -> Iterable[tuple[str, str]]:
    return [(ref.kind, ref.name) for ref in refs]
