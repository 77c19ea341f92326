"""Which commit of a branch counted last, and which repository it said it was."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from reconciler.ledger.database import Database

_IDS = uuid.UUID("0c5cbd7f-31a5-5d5e-9f0a-2f6e0f7a4f6d")  # the namespace of ids derived from a source's location


@dataclass(frozen=True, slots=True)
class Followed:
    """What is remembered of one branch of a source. Empty where nothing is."""

    commit: str = ""
    repository_id: str = ""  # as its onggi.yaml declared it


class SourceStore:
    """One per ledger, for any thread; each method raises StateError when the file fails it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def followed(self, source: str, branch: str) -> Followed:
        """What counted last of this branch; the repository's id of any, for it is the repository's."""
        asked = "SELECT branch, head, repository_id FROM followed WHERE source = ?"
        with self._database.reading() as connection:
            rows = connection.execute(asked, (source,)).fetchall()
        of_branch = {str(row[0]): Followed(str(row[1]), str(row[2])) for row in rows}
        found = of_branch.get(branch, Followed())
        declared = sorted(each.repository_id for each in of_branch.values())
        return Followed(found.commit, found.repository_id or (declared[-1] if declared else ""))

    def follow(self, source: str, branch: str, found: Followed) -> None:
        """Remember what counts from now on. Only what differs is written."""
        with self._database.lock:
            if self.followed(source, branch) == found:
                return
            with self._database.writing() as connection:
                row = (source, branch, found.commit, found.repository_id)
                connection.execute("INSERT OR REPLACE INTO followed VALUES (?, ?, ?, ?)", row)

    def repository_id(self, source: str) -> str:
        """The id of a source that declares none: derived from where it was at first sight, and the same ever after."""
        made = str(uuid.uuid5(_IDS, source))
        with self._database.lock:
            with self._database.reading() as connection:
                row = connection.execute("SELECT id FROM repository WHERE source = ?", (source,)).fetchone()
            if row is not None:
                return str(row[0])
            if self._database.writer is not None:
                with self._database.writing() as connection:
                    connection.execute("INSERT INTO repository VALUES (?, ?)", (source, made))
            return made
