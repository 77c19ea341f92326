"""The ledger's table of drift: what was found on the host, since when, and how it ended. For people; safety needs none.

Functions over a connection, as in `history`. What counts as drift is decided in `status/drift`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Container
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from reconciler.clock import rfc3339
from reconciler.status.drift import Drift, DriftKind
from reconciler.status.outcome import Result
from specs.reference import Ref

KEPT_RECORDS = 10_000
REFRESHED_EVERY = timedelta(minutes=1)  # how exact `last_seen` is of what goes on: a pass without news writes nothing

BY_ONGGI = "onggi"  # a step put it back
BY_ITSELF = "itself"  # it went away without onggi: somebody undid it by hand
BY_DOCUMENT = "document"  # the document was changed to match, or removed

_LONGEST_VALUE = 2000
Write = tuple[str, tuple[object, ...]]  # a statement and its values

_DONE = tuple(result.value for result in Result if result not in (Result.FAILED, Result.SKIPPED))


@dataclass(frozen=True, slots=True)
class DriftRecord:
    """One field that differed. Times are RFC 3339, UTC; `healed_at` and `healed_by` are empty while it differs."""

    ref: Ref
    field: str
    kind: str  # a word of DriftKind
    policy: str
    declared: Any
    found: Any
    first_seen: str
    last_seen: str
    healed_at: str = ""
    healed_by: str = ""

    @property
    def open(self) -> bool:
        """True while it differs."""
        return not self.healed_at


@dataclass(frozen=True, slots=True)
class Noted:
    """What one pass has to say about drift.

    `still_different` are fields that the plan changes for whatever reason; `unknown` objects that it didn't judge
    (suspended, or with a broken document), whose records stay as they are; `digest_of` gives a document's digest.
    """

    found: Collection[Drift]
    still_different: Container[tuple[Ref, str]]
    unknown: Callable[[Ref], bool]
    digest_of: Callable[[Ref], str | None]


def news(connection: sqlite3.Connection, noted: Noted, now: datetime, seen_at: str) -> list[Write]:
    """The writes that make the table agree with what a pass found; none when nothing is new.

    `seen_at` is when the open records were seen last, empty when this process hasn't seen them yet.
    """
    time = rfc3339(now)
    stale = rfc3339(now - REFRESHED_EVERY)
    known = {(Ref(row[1], row[2]), row[3]): row for row in connection.execute(f"{_SELECT} WHERE healed_at = ''")}
    writes: list[Write] = []
    found: set[tuple[Ref, str]] = set()
    for item in noted.found:
        if item.kind is DriftKind.EXTRA:
            continue
        for each in item.fields:
            key = (item.ref, each.field)
            if key in found:
                continue
            found.add(key)
            told = (item.kind.value, item.policy, _packed(each.declared), _packed(each.found), item.digest)
            row = known.get(key)
            if row is None:
                writes.append((_INSERT, (item.ref.kind, item.ref.name, each.field, *told, time, time)))
            elif row[4:9] != told or row[10] < stale:
                writes.append((_UPDATE, (*told, time, row[0])))
    for key, row in known.items():
        ref = key[0]
        if key in found or key in noted.still_different or noted.unknown(ref):
            continue
        last_seen = max(row[10], seen_at)
        if _healed_since(connection, ref, last_seen):
            by = BY_ONGGI
        else:
            by = BY_ITSELF if noted.digest_of(ref) == row[8] else BY_DOCUMENT
        writes.append((_CLOSE, (last_seen, time, by, row[0])))
    if found - known.keys():
        writes.append((_TRIM, (KEPT_RECORDS,)))
    return writes


def records(
    connection: sqlite3.Connection, *, healed: bool, since: datetime | None = None, limit: int = KEPT_RECORDS
) -> list[DriftRecord]:
    """The newest `limit` records, oldest first: those still open, with `healed` all; none that ended before `since`."""
    where = ["1 = 1" if healed else "healed_at = ''"]
    values: list[str | int] = []
    if since is not None:
        where.append("(healed_at = '' OR healed_at >= ?)")
        values.append(rfc3339(since))
    rows = connection.execute(
        f"{_SELECT} WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ?", (*values, limit)
    ).fetchall()
    return [_record(row) for row in reversed(rows)]


_COLUMNS = "kind, name, field, sort, policy, declared, found, digest, first_seen, last_seen"
_SELECT = f"SELECT id, {_COLUMNS}, healed_at, healed_by FROM drift"  # noqa: S608  # only fixed words
_INSERT = f"INSERT INTO drift ({_COLUMNS}, healed_at, healed_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '')"  # noqa: S608
_UPDATE = "UPDATE drift SET sort = ?, policy = ?, declared = ?, found = ?, digest = ?, last_seen = ? WHERE id = ?"
_CLOSE = "UPDATE drift SET last_seen = ?, healed_at = ?, healed_by = ? WHERE id = ?"
# The newest are kept, and what goes on before what is over.
_TRIM = "DELETE FROM drift WHERE id IN (SELECT id FROM drift ORDER BY healed_at = '' DESC, id DESC LIMIT -1 OFFSET ?)"


def _record(row: tuple[Any, ...]) -> DriftRecord:
    _, kind, name, field, sort, policy, declared, found, _, first_seen, last_seen, healed_at, healed_by = row
    return DriftRecord(
        Ref(kind, name), field, sort, policy, json.loads(declared), json.loads(found), first_seen, last_seen,
        healed_at, healed_by,
    )  # fmt: skip


def _healed_since(connection: sqlite3.Connection, ref: Ref, moment: str) -> bool:
    row = connection.execute(
        "SELECT time, result FROM last_outcome WHERE kind = ? AND name = ?", (ref.kind, ref.name)
    ).fetchone()
    return row is not None and row[0] >= moment and row[1] in _DONE


def _packed(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= _LONGEST_VALUE else json.dumps(f"{text[: _LONGEST_VALUE - 1]}…", ensure_ascii=False)
