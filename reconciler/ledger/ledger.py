"""What onggi remembers of one host: what is ours, what is being made, what came out, who is suspended.

A store for each, all in one SQLite file. It holds nothing that can't be found again: marks and derived UUIDs in libvirt
prove ownership too, so that losing it costs history, never safety. Whose turn it is to write is decided by the state
folder's lock.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from reconciler.clock import Clock, utc_now
from reconciler.faults import boundary
from reconciler.lazy import Lazy
from reconciler.ledger.crash_loop_store import CrashLoopStore
from reconciler.ledger.database import Database
from reconciler.ledger.decision_store import DecisionStore
from reconciler.ledger.definition_store import DefinitionStore
from reconciler.ledger.drift_store import DriftStore
from reconciler.ledger.heartbeat_store import HeartbeatStore
from reconciler.ledger.history_store import HistoryStore
from reconciler.ledger.intent_store import IntentStore
from reconciler.ledger.notice_store import NoticeStore
from reconciler.ledger.ownership_store import OwnershipStore
from reconciler.ledger.source_store import SourceStore
from reconciler.ledger.status_store import StatusStore
from reconciler.ledger.task_store import TaskStore
from reconciler.planning.ownership import Owned
from specs.reference import Ref

if TYPE_CHECKING:
    from reconciler.ledger.token_store import TokenStore
    from reconciler.planning.plan import Step


class Ledger:
    """Opened with `Ledger.open`. Of what changes something, a reader has only what `decisions` and `tokens` offer."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.ownership = OwnershipStore(database)
        self.tasks = TaskStore(database)
        self.intents = IntentStore(database, self.tasks)
        self.history = HistoryStore(database)
        self.decisions = DecisionStore(database)
        self.status = StatusStore(database)
        self.drift = DriftStore(database)
        self.notices = NoticeStore(database)
        self.definitions = DefinitionStore(database)
        self.sources = SourceStore(database)
        self.heartbeat = HeartbeatStore(database)
        self.crash_loops = CrashLoopStore(database)
        self._tokens = Lazy(lambda: _tokens(database))

    @classmethod
    def open(cls, folder: Path, *, readonly: bool = False, clock: Clock = utc_now) -> Ledger:
        """The ledger in a state folder. Who opens it for writing must hold the folder's lock. Raises StateError."""
        return cls(Database(folder, readonly=readonly, clock=clock))

    @property
    def tokens(self) -> TokenStore:
        """What programs log in with: of those who are asked who somebody is, and of nobody else's concern."""
        return self._tokens()

    def close(self) -> None:
        """Close the file; what was written stays written."""
        if (tokens := self._tokens.made) is not None:
            tokens.close()
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def change(
        self,
        *,
        own: Iterable[Owned] = (),
        disown: Iterable[Ref] = (),
        begin: Iterable[Ref] = (),
        finish: Iterable[Ref] = (),
        steps: Iterable[Step] = (),
        note: str = "",
        whole: Iterable[Ref] = (),
        task: int = 0,
    ) -> None:
        """The one transaction over several stores: all of it is written, or nothing. Raises StateError.

        `own` adds or replaces entries of ownership, `disown` removes them; none is fine. What is in `begin` is about to
        be made, and until `finish` it may be there half-made; `note` is for people. What is begun for a `task` may
        become `whole`, and `uncommitted` with the process's end, before it is finished. `steps` are about to be done,
        at the revision `note`; they are `in_doubt` if no outcome is ever recorded.
        """
        own, disown, begin, finish, whole = tuple(own), tuple(disown), tuple(begin), tuple(finish), tuple(whole)
        steps = tuple(step for step in steps if step.operations)
        if not (own or disown or begin or finish or steps or whole):
            return
        with self.database.lock:
            with self.database.writing() as connection:
                self.intents.write(connection, begin=begin, whole=whole, finish=finish, note=note, task=task)
                self.ownership.write(connection, own, disown)
                self.history.write(connection, steps, note)
            self.history.written(steps)
            if whole:
                boundary("after volumes are noted as whole")
            self.intents.written(begin, finish)
            self.ownership.written(own, disown)


def _tokens(database: Database) -> TokenStore:
    from reconciler.ledger.token_store import TokenStore

    return TokenStore(database)
