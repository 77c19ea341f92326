"""The ledger's part about what people told onggi to leave alone: each object, or everything, with who said so and why.

Written from beside a running agent, which reads it with each pass.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

from reconciler.clock import Clock, rfc3339
from reconciler.status import suspension
from reconciler.status.suspension import ANYTHING, Suspension, Suspensions
from specs.reference import Ref

_Connect = Callable[[], AbstractContextManager[sqlite3.Connection]]


class SuspensionBook:
    """One per ledger, for any thread; each method raises StateError when the file fails it."""

    def __init__(self, lock: threading.RLock, reading: _Connect, beside: _Connect, clock: Clock) -> None:
        """All of them are the ledger's."""
        self._lock = lock
        self._reading = reading
        self._beside = beside
        self._clock = clock

    def suspend(self, ref: Ref | None, *, reason: str, who: str) -> None:
        """Leave an object alone from now on; None: everything."""
        with self._beside() as connection:
            row = (*(ref or ANYTHING), reason, who, rfc3339(self._clock()))
            connection.execute(
                "INSERT OR REPLACE INTO suspended (kind, name, reason, who, since) VALUES (?, ?, ?, ?, ?)", row
            )

    def resume(self, ref: Ref | None) -> None:
        """End the suspension of one object; None: of the whole agent, where single objects stay suspended."""
        with self._beside() as connection:
            connection.execute("DELETE FROM suspended WHERE kind = ? AND name = ?", tuple(ref or ANYTHING))

    def suspended(self) -> frozenset[Ref]:
        """What is to be left alone; `ALL`, which has every reference as a member, when everything is."""
        return suspension.suspended(self.suspensions())

    def suspensions(self) -> Suspensions:
        """The same, with why, by whom and since when. Everything goes by ANYTHING."""
        with self._lock, self._reading() as connection:
            rows = connection.execute("SELECT kind, name, reason, who, since FROM suspended").fetchall()
        return {Ref(kind, name): Suspension(*told) for kind, name, *told in rows}
