"""The ledger's tables of what happened: events, last outcomes and begun steps. Losing them never costs safety.

Functions over a connection; transactions and locks are the store's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from reconciler.clock import rfc3339
from reconciler.ledger.records import Event, InDoubt, Origin
from reconciler.status.outcome import Result, StepOutcome
from specs.reference import Ref

if TYPE_CHECKING:
    from reconciler.planning.plan import Step

KEPT_EVENTS = 10_000
_REPEATABLE = 500  # how far back a repeated event is looked for


def record(
    connection: sqlite3.Connection, outcomes: Iterable[StepOutcome], revision: str, origin: Origin, time: str
) -> None:
    """Add an event for each outcome but UNCHANGED, and remember it as the object's last.

    A failure or a skip that repeats the object's last event is counted there, unless somebody else asked for it: a
    machine that fails for a night must not push everything else out of the history.
    """
    from reconciler.status.step_text import step_text

    for outcome in outcomes:
        if outcome.result is Result.UNCHANGED:
            continue
        step, result = outcome.step, outcome.result.value
        key = (step.ref.kind, step.ref.name)
        unhappy = outcome.result in (Result.FAILED, Result.SKIPPED)
        count = 1
        if unhappy:
            same = (*key, result, outcome.message, revision, origin.who, origin.peer)
            earlier = connection.execute(
                "SELECT e.id, e.count FROM last_outcome o JOIN event e ON e.id = o.event"
                " WHERE o.kind = ? AND o.name = ? AND e.result = ? AND e.message = ? AND e.revision = ?"
                " AND e.who = ? AND e.peer = ?",
                same,
            ).fetchone()
            if earlier is not None:
                connection.execute("DELETE FROM event WHERE id = ?", (earlier[0],))
                count = earlier[1] + 1
        kind_of_event = "Warning" if outcome.result is Result.FAILED else "Normal"
        message = outcome.message or step_text(step)
        event = connection.execute(
            "INSERT INTO event (time, kind, name, type, result, message, revision, who, count, peer, request)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (time, *key, kind_of_event, result, message, revision, origin.who, count, origin.peer, origin.request),
        ).lastrowid
        connection.execute(
            "INSERT OR REPLACE INTO last_outcome VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*key, time, step.action.value, result, outcome.message, revision, outcome.duration_s, event),
        )
    _trim(connection)


def begin(connection: sqlite3.Connection, steps: Iterable[Step], revision: str) -> None:
    """Note steps that are about to be done, for the case that nobody lives to `record` how they ended."""
    connection.executemany(
        "INSERT OR REPLACE INTO begun VALUES (?, ?, ?, ?, ?, ?)",
        ((step.ref.kind, step.ref.name, step.action.value, step.why, step.path, revision) for step in steps),
    )


def end(connection: sqlite3.Connection, refs: Iterable[Ref]) -> None:
    """How the steps on these ended is known by now."""
    connection.executemany("DELETE FROM begun WHERE kind = ? AND name = ?", refs)


def begun(connection: sqlite3.Connection) -> list[InDoubt]:
    """The steps that were noted and not recorded."""
    rows = connection.execute("SELECT kind, name, action, why, path, revision FROM begun").fetchall()
    if not rows:
        return []
    from reconciler.planning.plan import Action, Step
    from specs.effect import Effect

    return [
        InDoubt(Step(Ref(kind, name), Action(action), why, Effect.LIVE, (), path=path), revision)
        for kind, name, action, why, path, revision in rows
    ]


def add(
    connection: sqlite3.Connection,
    ref: Ref,
    kind_of_event: str,
    result: str,
    message: str,
    revision: str,
    who: str,
    time: str,
) -> None:
    """Add an event that isn't the outcome of a step. `kind_of_event` is Normal or Warning."""
    connection.execute(
        "INSERT INTO event (time, kind, name, type, result, message, revision, who, count)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)",
        (time, ref.kind, ref.name, kind_of_event, result, message, revision, who),
    )
    _trim(connection)


def _trim(connection: sqlite3.Connection) -> None:
    oldest_kept = connection.execute(
        "SELECT id FROM event ORDER BY id DESC LIMIT 1 OFFSET ?", (KEPT_EVENTS - 1,)
    ).fetchone()
    if oldest_kept is not None:
        connection.execute("DELETE FROM event WHERE id < ?", oldest_kept)


def events(
    connection: sqlite3.Connection, limit: int, ref: Ref | None = None, since: datetime | None = None
) -> list[Event]:
    """The last `limit` events, oldest first; of one object, and not before `since`, when given."""
    where: list[str] = []
    arguments: list[str | int] = []
    if ref is not None:
        where.append("kind = ? AND name = ?")
        arguments += [ref.kind, ref.name]
    if since is not None:
        where.append("time >= ?")
        arguments.append(rfc3339(since))
    condition = f" WHERE {' AND '.join(where)}" if where else ""
    rows = connection.execute(
        "SELECT time, kind, name, type, result, message, revision, who, count, peer, request FROM event"  # noqa: S608  # only fixed words
        f"{condition} ORDER BY id DESC LIMIT ?",
        (*arguments, limit),
    ).fetchall()
    return [Event(row[0], Ref(row[1], row[2]), *row[3:]) for row in reversed(rows)]


def news(connection: sqlite3.Connection, after: int, since: str, limit: int) -> list[tuple[int, Event]]:
    """The first `limit` events with a greater number than `after`, each with its number, by which they are in order.

    Also those of the numbers just before that are from `since` on: a repeated failure is counted where it was told.
    """
    rows = connection.execute(
        "SELECT id, time, kind, name, type, result, message, revision, who, count, peer, request FROM event"
        " WHERE id > ?1 - ?2 AND (id > ?1 OR time >= ?3) ORDER BY id LIMIT ?4",
        (after, _REPEATABLE, since, limit),
    )
    return [(row[0], Event(row[1], Ref(row[2], row[3]), *row[4:])) for row in rows]


def begun_anew(connection: sqlite3.Connection, kind: str) -> dict[Ref, int]:
    """For each name of a kind under which something was made or removed: the number of the first event that may be
    about what has the name now. What was told before is about another.
    """
    rows = connection.execute(
        "SELECT name, max(id + (result = 'deleted')) FROM event WHERE kind = ? AND result IN ('created', 'deleted')"
        " GROUP BY name",
        (kind,),
    )
    return {Ref(kind, name): number for name, number in rows}


def names_of(connection: sqlite3.Connection, kind: str) -> list[Ref]:
    """Every object of a kind that an event is about, whether or not it is there."""
    return [Ref(kind, *row) for row in connection.execute("SELECT DISTINCT name FROM event WHERE kind = ?", (kind,))]


def last_event(connection: sqlite3.Connection) -> int:
    """The number of the newest event; 0 when there is none."""
    return int(connection.execute("SELECT coalesce(max(id), 0) FROM event").fetchone()[0])
