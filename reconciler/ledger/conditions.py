"""The ledger's tables of how each object is: conditions and observed states. Losing them never costs safety.

Functions over a connection; transactions and locks are the store's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from reconciler.ledger.records import LastOutcome, ObjectStatus
from reconciler.status.condition import Condition
from specs.reference import Ref

Conditions = tuple[Condition, ...]


def stored(connection: sqlite3.Connection, ref: Ref | None = None) -> dict[Ref, Conditions]:
    """Every object's conditions, or one's, as they were stored; without the revision, which is one for all."""
    found: dict[Ref, list[Condition]] = {}
    for kind, name, type_, status, reason, message, since in connection.execute(
        "SELECT kind, name, type, status, reason, message, last_transition_time FROM condition"
        " WHERE ?1 = '' OR (kind = ?1 AND name = ?2) ORDER BY kind, name, position",
        _key(ref),
    ):
        item = Condition(type_, bool(status), reason, message, "", since)
        found.setdefault(Ref(kind, name), []).append(item)
    return {ref: tuple(items) for ref, items in found.items()}


def changed(
    before: Mapping[Ref, Conditions],
    wanted: Mapping[Ref, Conditions],
    time: str,
    told: Mapping[Ref, Conditions] = MappingProxyType({}),
) -> dict[Ref, Conditions]:
    """What has to be written so that `wanted` is stored; empty conditions stand for an object that is gone.

    A condition whose status didn't change keeps its time of transition. `told` is what was wanted when what is stored
    was made of it: nearly all objects share one value, and what is shared is compared once.
    """
    found: dict[Ref, Conditions] = {}
    alike: dict[tuple[int, int], bool] = {}
    for ref, items in wanted.items():
        last = told.get(ref)
        if last is items:
            continue
        known = before.get(ref, ())
        last = known if last is None else last
        pair = id(last), id(items)  # of values that live for as long as this goes on
        if pair not in alike:
            alike[pair] = len(last) == len(items) and all(map(_same, last, items))
        if alike[pair]:
            continue
        earlier = {item.type: item for item in known}
        found[ref] = tuple(_dated(item, earlier.get(item.type), time) for item in items)
    found.update((ref, ()) for ref in before.keys() - wanted.keys())
    return found


def _same(old: Condition, new: Condition) -> bool:
    return old.type == new.type and old.status == new.status and old.reason == new.reason and old.message == new.message


def _dated(new: Condition, old: Condition | None, time: str) -> Condition:
    since = old.last_transition_time if old is not None and old.status == new.status else time
    return Condition(new.type, new.status, new.reason, new.message, "", since)


def write(connection: sqlite3.Connection, news: Mapping[Ref, Conditions]) -> None:
    """Store what `changed` found."""
    connection.executemany("DELETE FROM condition WHERE kind = ? AND name = ?", news.keys())
    connection.executemany(
        "INSERT INTO condition VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                ref.kind, ref.name, position, item.type, item.status, item.reason, item.message,
                item.last_transition_time,
            )
            for ref, items in news.items()
            for position, item in enumerate(items)
        ),
    )  # fmt: skip


def states(connection: sqlite3.Connection, ref: Ref | None = None) -> dict[Ref, str]:
    """Every object's observed state, or one's."""
    rows = connection.execute(
        "SELECT kind, name, state FROM state WHERE ?1 = '' OR (kind = ?1 AND name = ?2)", _key(ref)
    )
    return {Ref(*row[:2]): row[2] for row in rows}


def write_states(connection: sqlite3.Connection, news: Mapping[Ref, str], gone: Iterable[Ref]) -> None:
    """Store states that are others now, and forget some."""
    connection.executemany("DELETE FROM state WHERE kind = ? AND name = ?", gone)
    connection.executemany(
        "INSERT OR REPLACE INTO state VALUES (?, ?, ?)", ((*ref, state) for ref, state in news.items())
    )


def statuses(connection: sqlite3.Connection, revision: str, ref: Ref | None = None) -> list[ObjectStatus]:
    """The status of every object that has conditions, or of one, in the order of kinds and names."""
    key = _key(ref)
    one = " WHERE ?1 = '' OR (kind = ?1 AND name = ?2)"
    owned = {
        Ref(kind, name): (uid, path)
        for kind, name, uid, path in connection.execute(f"SELECT kind, name, uid, path FROM owned{one}", key)  # noqa: S608
    }
    outcomes = {
        Ref(row[0], row[1]): LastOutcome(*row[2:])
        for row in connection.execute(
            f"SELECT kind, name, time, action, result, message, revision, duration_s FROM last_outcome{one}",  # noqa: S608
            key,
        )
    }
    seen = states(connection, ref)
    found = []
    for each, items in stored(connection, ref).items():
        uid, path = owned.get(each, ("", ""))
        dated = tuple(Condition(c.type, c.status, c.reason, c.message, revision, c.last_transition_time) for c in items)
        found.append(ObjectStatus(each, dated, uid, path, seen.get(each, ""), revision, outcomes.get(each)))
    return found


def _key(ref: Ref | None) -> tuple[str, str]:
    return (ref.kind, ref.name) if ref is not None else ("", "")
