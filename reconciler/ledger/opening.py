"""Opens the ledger's SQLite file, and turns what can go wrong with it into sentences.

The only module that knows of files, pragmas and SQLite's error codes. What is stored is the ledger's business.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from reconciler.clock import Clock
from reconciler.errors import StateError
from reconciler.faults import boundary
from reconciler.ledger.migrations import MIGRATIONS, check_version, migrate
from reconciler.ledger.state_place import check_place

log = logging.getLogger("onggi.ledger")

_BUSY_S = 5.0
_CACHE_KIB = 256
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIMARY_CODE = 0xFF  # SQLite's extended codes carry the primary one in the low byte


def open_for_writing(path: Path, *, clock: Clock, set_aside: bool) -> sqlite3.Connection:
    """A connection to the database at `path`, made or migrated when needed. Raises StateError.

    `set_aside` (only for who holds the state's lock) renames a damaged file and begins a new one.
    """
    with translated(path):
        try:
            return _open(path, check=set_aside)
        except sqlite3.DatabaseError as error:
            if not (set_aside and _is_damage(error)):
                raise
    moved = _set_aside(path, clock)
    log.warning(
        "the state database was damaged; it is kept as %s and a new one begins: history is lost, no object is touched",
        moved,
    )
    with translated(path):
        return _open(path, check=False)


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that can't write, also beside an agent; an empty database when there is none. Raises StateError."""
    if path.parent.exists() and not path.parent.is_dir():
        raise StateError(f"the state folder {path.parent} is a file; choose the right folder with --state")
    check_place(path.parent.absolute())
    with translated(path):
        if not path.exists():
            return _empty()
        # Reading a WAL database makes files beside it. Where that can't be, nobody can be writing it either.
        mode = "mode=ro" if os.access(path.parent, os.W_OK) else "immutable=1"
        address = f"file:{quote(str(path))}?{mode}"
        connection = sqlite3.connect(address, uri=True, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            found = check_version(connection)
        except BaseException:
            connection.close()
            raise
        if found == len(MIGRATIONS):
            return connection
        connection.close()
        if found == 0:  # an agent is just making it
            return _empty()
    raise StateError(
        f"the state {path} was written by an older onggi; start the agent of this version once to renew it"
    )


def _empty() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    migrate(connection)
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[sqlite3.Connection]:
    """All of the block's writes, or none. Raises StateError."""
    with translated(path):
        boundary("before a write of the state")
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            boundary("before a commit of the state")
            connection.execute("COMMIT")
            boundary("after a commit of the state")
        except BaseException:
            if connection.in_transaction:  # SQLite ends it by itself after some errors, such as a full disk
                connection.execute("ROLLBACK")
            raise


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turns SQLite's errors into StateError with the remedy."""
    try:
        yield
    except sqlite3.Error as error:
        raise StateError(_sentence(path, error)) from error


def _open(path: Path, *, check: bool) -> sqlite3.Connection:
    try:
        os.close(
            os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        )  # SQLite gives its side files the same mode
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise StateError(
            f"the state {path} can't be written ({reason}); correct that, or choose another folder with --state"
        ) from error
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # A commit survives a killed process; the last ones may be lost with the power, which costs history, not safety.
        connection.execute("PRAGMA synchronous = NORMAL")
        # What is read often is kept by the stores; SQLite's own 2 MB would hold it a second time.
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        if check:
            _check(connection)
        migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection) -> None:
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        damage = sqlite3.DatabaseError(found)
        damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise damage


def _is_damage(error: sqlite3.Error) -> bool:
    return _code(error) in _DAMAGED


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & _PRIMARY_CODE


def _set_aside(path: Path, clock: Clock) -> Path:
    stamp = clock().strftime("%Y%m%dT%H%M%SZ")
    target = path.with_name(f"{path.name}.corrupt-{stamp}")
    try:
        for suffix in ("-wal", "-shm", ""):  # the database itself last: a new one must never meet the old one's log
            side = path.with_name(path.name + suffix)
            if side.exists():
                side.rename(target.with_name(target.name + suffix))
    except OSError as error:
        raise StateError(
            f"the damaged state {path} can't be renamed ({error.strerror}); move it away by hand"
        ) from error
    return target


def _sentence(path: Path, error: sqlite3.Error) -> str:
    match _code(error):
        case sqlite3.SQLITE_FULL:
            return f"the disk of the state {path} is full; free some space, nothing of the state was lost"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return (
                f"the state {path} can't be opened for writing; make its folder writable, or choose another (--state)"
            )
        case sqlite3.SQLITE_IOERR:
            return f"the state {path} can't be read or written ({error}); look for a full or failing disk"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"the state {path} is being written by another onggi for a long time; try again, or stop that one"
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return f"the state {path} is damaged; the agent sets it aside and begins a new one when it is started again"
        case _:
            return f"the state {path} can't be used ({error}); move it away, the agent then begins a new one"
