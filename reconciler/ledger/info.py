"""The ledger's table of single values. Functions over a connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping


def all_of(connection: sqlite3.Connection) -> dict[str, str]:
    """Every value by its key."""
    return dict(connection.execute("SELECT key, value FROM info").fetchall())


def put(connection: sqlite3.Connection, values: Mapping[str, str]) -> None:
    """Add or replace values."""
    connection.executemany("INSERT OR REPLACE INTO info VALUES (?, ?)", values.items())
