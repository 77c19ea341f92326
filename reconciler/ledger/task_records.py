"""The ledger's table of long tasks. Functions over a connection; transactions and locks are the store's."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from typing import Final

KEPT_TASKS: Final = 1_000

RUNNING: Final = "running"
FINISHED: Final = "finished"
FAILED: Final = "failed"

_RESTARTED: Final = "The agent was restarted while this was under way."


_SELECT: Final = "SELECT id, status, message, target, who, began, ended, owner FROM task"


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """One long task. `status` is running, finished or failed; `target` the address of what it works on; times are RFC
    3339, `ended` is empty while it runs. `owner` is the user whose it is; empty: an administrator's.
    """

    id: int
    status: str
    message: str
    target: str
    who: str
    began: str
    ended: str = ""
    owner: str = ""


def add(connection: sqlite3.Connection, target: str, message: str, who: str, time: str, owner: str = "") -> TaskRecord:
    """A new task that runs."""
    made = connection.execute(
        "INSERT INTO task (status, message, target, who, began, ended, owner) VALUES (?, ?, ?, ?, ?, '', ?)",
        (RUNNING, message, target, who, time, owner),
    ).lastrowid
    connection.execute(
        "DELETE FROM task WHERE status != ? AND id <= (SELECT max(id) FROM task) - ?", (RUNNING, KEPT_TASKS)
    )
    return TaskRecord(int(made or 0), RUNNING, message, target, who, time, owner=owner)


def end(connection: sqlite3.Connection, number: int, status: str, message: str, time: str) -> None:
    """A task's end."""
    values = (status, message, time, number)
    connection.execute("UPDATE task SET status = ?, message = ?, ended = ? WHERE id = ?", values)


def interrupt(connection: sqlite3.Connection, message: str, time: str) -> None:
    """Every task that runs has ended with the process that ran it."""
    connection.execute(
        "UPDATE task SET status = ?, message = ?, ended = ? WHERE status = ?", (FAILED, message, time, RUNNING)
    )


def fail_late(connection: sqlite3.Connection, number: int, sentence: str, instead: str, time: str) -> TaskRecord | None:
    """Have a task that was cut off, or that failed, say a sentence more; it takes the place of `instead`.

    None for one that isn't remembered, and for one that came to a good end.
    """
    row = connection.execute(f"{_SELECT} WHERE id = ? AND status != ?", (number, FINISHED)).fetchone()
    if row is None:
        return None
    record = TaskRecord(*row)
    message = _RESTARTED if record.status == RUNNING else record.message
    more = message.replace(instead, sentence) if instead in message else f"{message} {sentence}"
    told = replace(record, status=FAILED, message=more, ended=record.ended or time)
    end(connection, number, told.status, told.message, told.ended)
    return told


def all_of(connection: sqlite3.Connection) -> list[TaskRecord]:
    """Every task, oldest first."""
    return [TaskRecord(*row) for row in connection.execute(f"{_SELECT} ORDER BY id")]
