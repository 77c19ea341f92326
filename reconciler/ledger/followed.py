"""The ledger's part about sources: which commit of a branch counted last, and which repository it said it was."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

_Connect = Callable[[], AbstractContextManager[sqlite3.Connection]]


@dataclass(frozen=True, slots=True)
class Followed:
    """What is remembered of one branch of a source. Empty where nothing is."""

    commit: str = ""
    repository_id: str = ""  # as its onggi.yaml declared it


class SourceBook:
    """One per ledger, for any thread; each method raises StateError when the file fails it."""

    def __init__(self, lock: threading.RLock, reading: _Connect, writing: _Connect) -> None:
        """All of them are the ledger's."""
        self._lock = lock
        self._reading = reading
        self._writing = writing

    def followed(self, source: str, branch: str) -> Followed:
        """What counted last of this branch; the repository's id of any, for it is the repository's."""
        asked = "SELECT branch, head, repository_id FROM followed WHERE source = ?"
        with self._lock, self._reading() as connection:
            rows = connection.execute(asked, (source,)).fetchall()
        of_branch = {str(row[0]): Followed(str(row[1]), str(row[2])) for row in rows}
        found = of_branch.get(branch, Followed())
        declared = sorted(each.repository_id for each in of_branch.values())
        return Followed(found.commit, found.repository_id or (declared[-1] if declared else ""))

    def follow(self, source: str, branch: str, found: Followed) -> None:
        """Remember what counts from now on. Only what differs is written."""
        with self._lock:
            if self.followed(source, branch) == found:
                return
            with self._writing() as connection:
                row = (source, branch, found.commit, found.repository_id)
                connection.execute("INSERT OR REPLACE INTO followed VALUES (?, ?, ?, ?)", row)
