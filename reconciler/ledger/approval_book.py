"""The ledger's part about approvals: which were given, and which of them a plan has told that it waits for.

Only what was told can be approved: a digest with a letter too many would count for nothing, and who typed it would
believe that it does.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from reconciler.clock import Clock, rfc3339
from specs.reference import Ref

if TYPE_CHECKING:
    from reconciler.planning.plan import Plan

_Connect = Callable[[], AbstractContextManager[sqlite3.Connection]]
Waiting = Mapping[str, tuple[Ref, ...]]

AGENT = "agent"
VERB = "verb"  # `onggi plan` and `onggi apply`, whose plan may be of another branch than the agent's


def waiting_for(plan: Plan) -> dict[str, tuple[Ref, ...]]:
    """The digests that a plan waits for, each with the objects that it is about."""
    found: dict[str, list[Ref]] = {}
    for item in (*plan.blocked, *plan.staged):
        if item.digest:
            found.setdefault(item.digest, []).append(item.ref)
    return {digest: tuple(sorted(refs)) for digest, refs in sorted(found.items())}


class ApprovalBook:
    """One per ledger, for any thread; each method raises StateError when the file fails it."""

    def __init__(self, lock: threading.RLock, reading: _Connect, beside: _Connect, clock: Clock) -> None:
        """All of them are the ledger's."""
        self._lock = lock
        self._reading = reading
        self._beside = beside
        self._clock = clock

    def approve(self, digest: str) -> None:
        """Say yes to what `digest` names. Works beside a running agent."""
        with self._beside() as connection:
            connection.execute("INSERT OR REPLACE INTO approval VALUES (?, ?)", (digest, rfc3339(self._clock())))

    def approved(self) -> frozenset[str]:
        """Every digest that was approved. One whose revision or objects have moved never comes up again."""
        with self._lock, self._reading() as connection:
            return frozenset(row[0] for row in connection.execute("SELECT digest FROM approval"))

    def tell(self, plan: Plan, by: str) -> None:
        """Remember what `plan` waits for, in place of what the last plan of the same teller did. Works beside an agent.

        Nothing is written when that is the same.
        """
        wanted = waiting_for(plan)
        if wanted == self._told([by]):
            return
        rows = ((digest, by, json.dumps(refs)) for digest, refs in wanted.items())
        with self._beside() as connection:
            connection.execute("DELETE FROM asked WHERE teller = ?", (by,))
            connection.executemany("INSERT INTO asked VALUES (?, ?, ?)", rows)

    def waiting(self) -> Waiting:
        """Every digest that the last plans have told of and that nobody has approved, with what it is about."""
        given = self.approved()
        return {digest: refs for digest, refs in self._told([AGENT, VERB]).items() if digest not in given}

    def _told(self, tellers: Iterable[str]) -> dict[str, tuple[Ref, ...]]:
        wanted = set(tellers)
        with self._lock, self._reading() as connection:
            rows = connection.execute("SELECT digest, teller, objects FROM asked ORDER BY digest").fetchall()
        return {digest: tuple(Ref(*each) for each in json.loads(refs)) for digest, by, refs in rows if by in wanted}
