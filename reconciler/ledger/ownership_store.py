"""What is ours on this host. Marks and derived UUIDs in libvirt prove it too: losing this costs no safety."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from reconciler.ledger.database import Database
from reconciler.planning.ownership import Fact, Owned
from specs.reference import Ref

_COLUMNS = "kind, name, uid, path, deletion, parent, created, seed, facts"


class OwnershipStore:
    """One per ledger, for any thread; each method raises StateError when the file fails it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._entries: dict[Ref, Owned] | None = None  # of the writer, which nobody writes beside
        self._given: Mapping[Ref, Owned] | None = None  # the copy of it that was given away

    def all(self) -> Mapping[Ref, Owned]:
        """Every entry. An immutable value: later changes show in the next call's."""
        with self._database.lock:
            if self._database.writer is None:
                return self._read()
            if self._given is None:
                self._given = MappingProxyType(dict(self._known()))
            return self._given

    def write(self, connection: sqlite3.Connection, own: Iterable[Owned], disown: Iterable[Ref]) -> None:
        """A part of `Ledger.change`, before its commit."""
        connection.executemany("DELETE FROM owned WHERE kind = ? AND name = ?", disown)
        connection.executemany(
            f"INSERT OR REPLACE INTO owned ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            map(_row, own),
        )

    def written(self, own: Iterable[Owned], disown: Iterable[Ref]) -> None:
        """The same, after its commit."""
        if self._entries is not None:
            for ref in disown:
                self._entries.pop(ref, None)
            self._entries.update((entry.ref, entry) for entry in own)
        self._given = None

    def _known(self) -> dict[Ref, Owned]:
        if self._entries is None:
            self._entries = self._read()
        return self._entries

    def _read(self) -> dict[Ref, Owned]:
        with self._database.reading() as connection:
            entries = [_entry(row) for row in connection.execute(f"SELECT {_COLUMNS} FROM owned")]  # noqa: S608
        return {entry.ref: entry for entry in entries}


def _row(entry: Owned) -> tuple[str | bool, ...]:
    parent = str(entry.parent) if entry.parent is not None else ""
    facts = json.dumps(dict(entry.facts), sort_keys=True)
    return (*entry.ref, entry.uid, entry.path, entry.deletion, parent, entry.created, entry.seed, facts)


def _entry(row: tuple[str, ...]) -> Owned:
    kind, name, uid, path, deletion, parent, created, seed, facts = row
    parent_kind, _, parent_name = parent.partition("/")
    parent_ref = Ref(parent_kind, parent_name) if parent else None
    return Owned(Ref(kind, name), uid, path, deletion, parent_ref, bool(created), bool(seed), _facts(facts))


def _facts(text: str) -> dict[str, str]:
    """What thousands of entries say alike is in memory once: the words, and where their documents are."""
    facts: dict[str, str] = {sys.intern(key): value for key, value in json.loads(text).items()}
    if scope := facts.get(Fact.SCOPE):
        facts[Fact.SCOPE.value] = sys.intern(scope)
    return facts
