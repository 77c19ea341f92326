"""What an agent tells those beside it of itself: which process it is, and when it was through with a pass."""

from __future__ import annotations

import os
from collections.abc import Mapping

from reconciler.ledger import info
from reconciler.ledger.database import Database

_PREFIX = "agent."


class HeartbeatStore:
    """One per ledger, for any thread; each method raises StateError when the file fails it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._started = ""

    def tell(self, *, passed: bool = True, **values: str | int | bool) -> None:
        """Tell readers about the agent. Adds `pid`, the first call's time as `started` and, when a pass is through
        (`passed`), the time as `last_pass`.
        """
        now = self._database.time()
        with self._database.writing() as connection:
            self._started = self._started or now
            told = {"pid": os.getpid(), "started": self._started, **({"last_pass": now} if passed else {}), **values}
            info.put(connection, {f"{_PREFIX}{key}": _text(value) for key, value in told.items()})

    def told(self) -> Mapping[str, str]:
        """What the last agent told: pid, started, last_pass and more. `StateFolder.holder` tells if it runs."""
        with self._database.reading() as connection:
            found = info.all_of(connection)
        return {key.removeprefix(_PREFIX): value for key, value in found.items() if key.startswith(_PREFIX)}


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
