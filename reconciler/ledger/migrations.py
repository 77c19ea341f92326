"""The ledger's tables, as a list of migrations: entry N takes a database from version N to N+1. It only grows."""

from __future__ import annotations

import sqlite3

from reconciler.errors import StateError

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE owned (
          kind TEXT NOT NULL, name TEXT NOT NULL, uid TEXT NOT NULL, path TEXT NOT NULL, deletion TEXT NOT NULL,
          parent TEXT NOT NULL, created INTEGER NOT NULL, seed INTEGER NOT NULL, facts TEXT NOT NULL,
          PRIMARY KEY (kind, name)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE intent (
          kind TEXT NOT NULL, name TEXT NOT NULL, note TEXT NOT NULL, time TEXT NOT NULL, PRIMARY KEY (kind, name)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE event (
          id INTEGER PRIMARY KEY AUTOINCREMENT, time TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
          type TEXT NOT NULL, result TEXT NOT NULL, message TEXT NOT NULL, revision TEXT NOT NULL, who TEXT NOT NULL,
          count INTEGER NOT NULL
        )
        """,
        "CREATE INDEX event_by_object ON event (kind, name, id)",
        """
        CREATE TABLE last_outcome (
          kind TEXT NOT NULL, name TEXT NOT NULL, time TEXT NOT NULL, action TEXT NOT NULL, result TEXT NOT NULL,
          message TEXT NOT NULL, revision TEXT NOT NULL, duration_s REAL NOT NULL, event INTEGER NOT NULL,
          PRIMARY KEY (kind, name)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE condition (
          kind TEXT NOT NULL, name TEXT NOT NULL, position INTEGER NOT NULL, type TEXT NOT NULL,
          status INTEGER NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL, last_transition_time TEXT NOT NULL,
          PRIMARY KEY (kind, name, type)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE state (
          kind TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (kind, name)
        ) WITHOUT ROWID
        """,
        "CREATE TABLE suspended (kind TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID",
        "CREATE TABLE repository (source TEXT PRIMARY KEY, id TEXT NOT NULL) WITHOUT ROWID",
        "CREATE TABLE info (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    ),
    ("CREATE TABLE approval (digest TEXT PRIMARY KEY, time TEXT NOT NULL) WITHOUT ROWID",),
    (
        """
        CREATE TABLE begun (
          kind TEXT NOT NULL, name TEXT NOT NULL, action TEXT NOT NULL, why TEXT NOT NULL, path TEXT NOT NULL,
          revision TEXT NOT NULL, PRIMARY KEY (kind, name)
        ) WITHOUT ROWID
        """,
    ),
    (
        """
        CREATE TABLE drift (
          id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, name TEXT NOT NULL, field TEXT NOT NULL,
          sort TEXT NOT NULL, policy TEXT NOT NULL, declared TEXT NOT NULL, found TEXT NOT NULL, digest TEXT NOT NULL,
          first_seen TEXT NOT NULL, last_seen TEXT NOT NULL, healed_at TEXT NOT NULL, healed_by TEXT NOT NULL
        )
        """,
        "CREATE INDEX drift_by_end ON drift (healed_at)",
    ),
    ("CREATE TABLE crash_loop (kind TEXT, name TEXT, runs TEXT NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID",),
    (
        """
        CREATE TABLE task (
          id INTEGER PRIMARY KEY AUTOINCREMENT, status TEXT NOT NULL, message TEXT NOT NULL, target TEXT NOT NULL,
          who TEXT NOT NULL, began TEXT NOT NULL, ended TEXT NOT NULL
        )
        """,
    ),
    (
        "ALTER TABLE intent ADD COLUMN task INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE intent ADD COLUMN whole INTEGER NOT NULL DEFAULT 0",
    ),
    (
        """
        CREATE TABLE asked (
          digest TEXT NOT NULL, teller TEXT NOT NULL, objects TEXT NOT NULL, PRIMARY KEY (digest, teller)
        ) WITHOUT ROWID
        """,
    ),
    (
        """
        CREATE TABLE notice (
          kind TEXT NOT NULL, name TEXT NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL, since TEXT NOT NULL,
          PRIMARY KEY (kind, name, reason)
        ) WITHOUT ROWID
        """,
    ),
    (
        """
        CREATE TABLE followed (
          source TEXT NOT NULL, branch TEXT NOT NULL, head TEXT NOT NULL, repository_id TEXT NOT NULL,
          PRIMARY KEY (source, branch)
        ) WITHOUT ROWID
        """,
    ),
    (
        """
        CREATE TABLE definition (
          kind TEXT NOT NULL, name TEXT NOT NULL, uid TEXT NOT NULL, digest BLOB NOT NULL, autostart INTEGER NOT NULL,
          xml BLOB NOT NULL, PRIMARY KEY (kind, name)
        )
        """,
    ),
    (
        "ALTER TABLE suspended ADD COLUMN reason TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE suspended ADD COLUMN who TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE suspended ADD COLUMN since TEXT NOT NULL DEFAULT ''",
    ),
    ("ALTER TABLE task ADD COLUMN owner TEXT NOT NULL DEFAULT ''",),
    (
        "ALTER TABLE event ADD COLUMN peer TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE event ADD COLUMN request TEXT NOT NULL DEFAULT ''",
    ),
    (
        """
        CREATE TABLE token (
          number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, role TEXT NOT NULL, maker TEXT NOT NULL,
          made TEXT NOT NULL, expires TEXT NOT NULL, used TEXT NOT NULL, revoked TEXT NOT NULL,
          handle BLOB NOT NULL, digest BLOB NOT NULL
        )
        """,
    ),
)


def version(connection: sqlite3.Connection) -> int:
    """Which migrations a database has had. 0: none, it is new."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def check_version(connection: sqlite3.Connection) -> int:
    """The version of a database that this program can read. Raises StateError for one of a newer program."""
    found = version(connection)
    if found > len(MIGRATIONS):
        raise StateError(
            f"the state was written by a newer onggi (layout {found}, this one knows {len(MIGRATIONS)}); "
            "upgrade this one, or choose another folder with --state"
        )
    return found


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database to the present layout, all or nothing; two may try at once. Raises StateError, sqlite3.Error."""
    if check_version(connection) == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statements in MIGRATIONS[version(connection) :]:  # asked again: somebody else may just have done it
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
