"""What people decided beside a running agent, which reads it with each pass: what is to be left alone, by whom and why,
and what was said yes to.

Only what a plan has told that it waits for can be approved: a digest with a letter too many would count for nothing,
and who typed it would believe that it does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from reconciler.ledger.database import Database
from reconciler.status import suspension
from reconciler.status.suspension import ANYTHING, Suspension, Suspensions
from specs.reference import Ref

if TYPE_CHECKING:
    from reconciler.planning.plan import Plan

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


class DecisionStore:
    """One per ledger, for any thread; each method raises StateError when the file fails it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def suspend(self, ref: Ref | None, *, reason: str = "", who: str = "") -> None:
        """Leave an object alone from now on; None: everything."""
        with self._database.writing_beside() as connection:
            row = (*(ref or ANYTHING), reason, who, self._database.time())
            connection.execute(
                "INSERT OR REPLACE INTO suspended (kind, name, reason, who, since) VALUES (?, ?, ?, ?, ?)", row
            )

    def resume(self, ref: Ref | None) -> None:
        """End the suspension of one object; None: of the whole agent, where single objects stay suspended."""
        with self._database.writing_beside() as connection:
            connection.execute("DELETE FROM suspended WHERE kind = ? AND name = ?", tuple(ref or ANYTHING))

    def suspended(self) -> frozenset[Ref]:
        """What is to be left alone; `ALL`, which has every reference as a member, when everything is."""
        return suspension.suspended(self.suspensions())

    def suspensions(self) -> Suspensions:
        """The same, with why, by whom and since when. Everything goes by ANYTHING."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT kind, name, reason, who, since FROM suspended").fetchall()
        return {Ref(kind, name): Suspension(*told) for kind, name, *told in rows}

    def approve(self, digest: str) -> None:
        """Say yes to what `digest` names. Works beside a running agent."""
        with self._database.writing_beside() as connection:
            connection.execute("INSERT OR REPLACE INTO approval VALUES (?, ?)", (digest, self._database.time()))

    def approved(self) -> frozenset[str]:
        """Every digest that was approved. One whose revision or objects have moved never comes up again."""
        with self._database.reading() as connection:
            return frozenset(row[0] for row in connection.execute("SELECT digest FROM approval"))

    def ask(self, plan: Plan, by: str) -> None:
        """Remember what `plan` waits for, in place of what the last plan of the same teller did. Works beside an agent.

        Nothing is written when that is the same.
        """
        wanted = waiting_for(plan)
        if wanted == self._told([by]):
            return
        rows = ((digest, by, json.dumps(refs)) for digest, refs in wanted.items())
        with self._database.writing_beside() as connection:
            connection.execute("DELETE FROM asked WHERE teller = ?", (by,))
            connection.executemany("INSERT INTO asked VALUES (?, ?, ?)", rows)

    def waiting(self) -> Waiting:
        """Every digest that the last plans have told of and that nobody has approved, with what it is about."""
        given = self.approved()
        return {digest: refs for digest, refs in self._told([AGENT, VERB]).items() if digest not in given}

    def _told(self, tellers: Iterable[str]) -> dict[str, tuple[Ref, ...]]:
        wanted = set(tellers)
        with self._database.reading() as connection:
            rows = connection.execute("SELECT digest, teller, objects FROM asked ORDER BY digest").fetchall()
        return {digest: tuple(Ref(*each) for each in json.loads(refs)) for digest, by, refs in rows if by in wanted}
