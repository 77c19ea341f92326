"""What onggi remembers of one host: what is ours, what is being made, what came out, who is suspended.

One SQLite file behind one class. It holds nothing that can't be found again: marks and derived UUIDs in libvirt prove
ownership too, so that losing it costs history, never safety. How the file is opened is in `database`, the tables that
people read are in `history`; whose turn it is to write is decided by the state folder's lock.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Self

from reconciler.clock import Clock, rfc3339, utc_now
from reconciler.errors import StateError
from reconciler.faults import boundary
from reconciler.ledger import history, intents
from reconciler.ledger.approval_book import ApprovalBook
from reconciler.ledger.database import open_for_reading, open_for_writing, transaction, translated
from reconciler.ledger.definitions import DefinitionBook
from reconciler.ledger.followed import SourceBook
from reconciler.ledger.notice_book import NoticeBook
from reconciler.ledger.suspension_book import SuspensionBook
from reconciler.ledger.task_book import TaskBook
from reconciler.planning.ownership import Owned
from specs.reference import Ref

if TYPE_CHECKING:
    from reconciler.ledger.drift_history import DriftRecord, Noted
    from reconciler.ledger.records import CutOff, Event, ObjectStatus
    from reconciler.planning.plan import Step
    from reconciler.status.condition import Condition
    from reconciler.status.outcome import StepOutcome

DATABASE_NAME = "onggi.db"

_SOURCES = uuid.UUID("0c5cbd7f-31a5-5d5e-9f0a-2f6e0f7a4f6d")  # the namespace of ids derived from a source's location
_REVISION = "conditions.revision"  # the key in `info` of the one revision that all stored conditions were found at


class Ledger:
    """Opened with `Ledger.open`. Any thread may call any method; each raises StateError when the file fails it.

    The writer keeps one connection behind a lock. A reader opens one for each question, so that it sees what an agent
    beside it writes; of the changing methods it has only `suspend` and `resume`.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection | None, clock: Clock) -> None:
        self.path = path
        self._writer = connection
        self._clock = clock
        self._lock = threading.RLock()
        self._entries: dict[Ref, Owned] | None = None  # of the writer, which nobody writes beside
        self._owned: Mapping[Ref, Owned] | None = None  # the copy of it that was given away
        self._conditions: dict[Ref, tuple[Condition, ...]] | None = None
        self._making: set[Ref] = set()
        self._working: set[Ref] = set()  # steps of this process that haven't been recorded yet
        self._lost: set[Ref] = set()  # of these, the ones whose record won't tell what came of them
        self._started = ""
        self.definitions = DefinitionBook(self._lock, self._reading, self._writing)
        self.tasks = TaskBook(self._lock, self._reading, self._writing, clock)
        self.sources = SourceBook(self._lock, self._reading, self._writing)
        self.suspensions = SuspensionBook(self._lock, self._reading, self._beside, clock)
        self.approvals = ApprovalBook(self._lock, self._reading, self._beside, clock)
        self.notices = NoticeBook(self._lock, self._reading, self._writing, clock)
        self._drift_seen = ""  # when `note_drift` saw the open records last

    @classmethod
    def open(cls, folder: Path, *, readonly: bool = False, clock: Clock = utc_now) -> Ledger:
        """The ledger in a state folder. Who opens it for writing must hold the folder's lock. Raises StateError."""
        path = folder / DATABASE_NAME
        return cls(path, None if readonly else open_for_writing(path, clock=clock, set_aside=True), clock)

    def close(self) -> None:
        """Close the file; what was written stays written."""
        with self._lock:
            if self._writer is not None:
                self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # What is ours, and what is being made

    def owned(self) -> Mapping[Ref, Owned]:
        """Every entry. An immutable value: later changes show in the next call's."""
        with self._lock:
            if self._writer is None:
                return self._read_owned()
            if self._owned is None:
                self._owned = MappingProxyType(dict(self._known_entries()))
            return self._owned

    def _known_entries(self) -> dict[Ref, Owned]:
        if self._entries is None:
            self._entries = self._read_owned()
        return self._entries

    def _read_owned(self) -> dict[Ref, Owned]:
        with self._reading() as connection:
            entries = [_owned(row) for row in connection.execute(f"SELECT {_OWNED_COLUMNS} FROM owned")]  # noqa: S608
        return {entry.ref: entry for entry in entries}

    def own(self, entry: Owned) -> None:
        """Add or replace one entry."""
        self.change(own=(entry,))

    def own_all(self, entries: Iterable[Owned]) -> None:
        """Add or replace many entries in one transaction."""
        self.change(own=entries)

    def disown(self, ref: Ref) -> None:
        """Remove an entry; none is fine."""
        self.change(disown=(ref,))

    def begin(self, ref: Ref, note: str) -> None:
        """Say that `ref` is about to be made: until `finish` it may be there half-made. `note` is for people."""
        self.change(begin=(ref,), note=note)

    def finish(self, ref: Ref) -> None:
        """Say that `ref` is whole, or gone."""
        self.change(finish=(ref,))

    def give_up(self, volumes: Iterable[Ref], steps: Iterable[Ref] = ()) -> None:
        """Say that nobody is making `volumes` any more and how far they came is unknown: they are `unfinished` now.

        `steps` are those of which the host can't tell now what came of them: recorded or not, they are `cut_off`.
        """
        with self._lock:
            self._making.difference_update(volumes)
            self._lost.update(steps)

    def unfinished(self) -> tuple[Ref, ...]:
        """What was begun, isn't whole, and isn't being made by this process now."""
        return self._left(whole=False)

    def uncommitted(self) -> tuple[Ref, ...]:
        """What an earlier process has made whole for a task, and then perhaps hasn't committed the documents for."""
        return self._left(whole=True)

    def _left(self, *, whole: bool) -> tuple[Ref, ...]:
        with self._lock, self._reading() as connection:
            return tuple(ref for ref in intents.all_of(connection, whole=whole) if ref not in self._making)

    def end_unfinished(self, ref: Ref, came_of: intents.CameOf) -> None:
        """As `finish`, of what nobody is making any more; the task that it was for tells what came of it."""
        with self._lock:
            with self._writing() as connection:
                self.tasks.tell(connection, ref, came_of, rfc3339(self._clock()))
                intents.finish(connection, (ref,))
            self._making.discard(ref)

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
        """Several of the above in one transaction: all of it is written, or nothing.

        `steps` are about to be done, at the revision `note`; they are `cut_off` if no outcome is ever recorded. What
        is begun for a `task` may become `whole`, and `uncommitted` with the process's end, before it is finished.
        """
        own, disown, begin, finish, whole = tuple(own), tuple(disown), tuple(begin), tuple(finish), tuple(whole)
        steps = tuple(step for step in steps if step.operations)
        if not (own or disown or begin or finish or steps or whole):
            return
        with self._lock:
            entries = self._known_entries() if self._writer is not None else {}
            with self._writing() as connection:
                time = rfc3339(self._clock())
                intents.finish(connection, finish)
                intents.begin(connection, begin, note, time, task)
                intents.whole(connection, whole)
                connection.executemany("DELETE FROM owned WHERE kind = ? AND name = ?", map(_key, disown))
                connection.executemany(
                    f"INSERT OR REPLACE INTO owned ({_OWNED_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                    map(_owned_row, own),
                )
                history.begin(connection, steps, note)
            self._working.update(step.ref for step in steps)
            if whole:
                boundary("after volumes are noted as whole")
            self._making.difference_update(finish)
            self._making.update(begin)
            for ref in disown:
                entries.pop(ref, None)
            entries.update((entry.ref, entry) for entry in own)
            self._owned = None

    # What came out

    def record(self, outcomes: Iterable[StepOutcome], revision: str, source: str = "reconcile") -> None:
        """Add outcomes to the history (the last 10,000 events are kept). `source` is who asked for it."""
        outcomes = tuple(outcomes)
        if outcomes:
            with self._lock:
                refs = {outcome.step.ref for outcome in outcomes}
                self._working -= refs  # also when this fails: they are cut off then
                with self._writing() as connection:
                    history.record(connection, outcomes, revision, source, rfc3339(self._clock()))
                    known = map(_key, refs - self._lost)
                    connection.executemany("DELETE FROM begun WHERE kind = ? AND name = ?", known)
                self._lost -= refs

    def working(self) -> frozenset[Ref]:
        """What steps of this process are begun for whose outcome isn't recorded yet."""
        with self._lock:
            return frozenset(self._working)

    def cut_off(self) -> tuple[CutOff, ...]:
        """The begun steps of which nobody knows how they ended, after a kill, a lost connection or a full disk.

        Whoever finds that out has to `record` an outcome for each.
        """
        with self._lock, self._reading() as connection:
            return tuple(found for found in history.begun(connection) if found.step.ref not in self._working)

    def events(self, limit: int = 100, ref: Ref | None = None, since: datetime | None = None) -> list[Event]:
        """The last `limit` events, oldest first; of one object, and not before `since`, when given."""
        with self._lock, self._reading() as connection:
            return history.events(connection, limit, ref, since)

    def event_news(self, after: int, since: str = "~", limit: int = 1000) -> list[tuple[int, Event]]:
        """The events behind the one numbered `after`, oldest first, with their numbers.

        Also earlier ones from `since` (RFC 3339) on, which may have been counted up; without it none.
        """
        with self._lock, self._reading() as connection:
            return history.news(connection, after, since, limit)

    def last_event(self) -> int:
        """The number of the newest event; 0 when there is none."""
        with self._lock, self._reading() as connection:
            return history.last_event(connection)

    def warn(self, ref: Ref, result: str, message: str, revision: str, who: str = "reconcile") -> None:
        """Add an event about an object that is no outcome of a step, such as that somebody undoes what is done."""
        with self._writing() as connection:
            history.add(connection, ref, "Warning", result, message, revision, who, rfc3339(self._clock()))

    def note_drift(self, noted: Noted) -> None:
        """Make the records of drift agree with what a pass found. Only what differs is written."""
        from reconciler.ledger import drift_history as drift

        now = self._clock()
        with self._lock:
            with self._reading() as connection:
                writes = drift.news(connection, noted, now, self._drift_seen)
            if writes:
                with self._writing() as connection:
                    for statement, values in writes:
                        connection.execute(statement, values)
            self._drift_seen = rfc3339(now)

    def drifts(self, *, healed: bool = False, since: datetime | None = None) -> list[DriftRecord]:
        """The records of drift, oldest first: open ones, with `healed` also those that ended (not before `since`)."""
        from reconciler.ledger import drift_history as drift

        with self._lock, self._reading() as connection:
            return drift.records(connection, healed=healed, since=since)

    def set_conditions(
        self, found: Mapping[Ref, tuple[Condition, ...]], revision: str, states: Mapping[Ref, str] | None = None
    ) -> None:
        """Make `found` the conditions of all objects; one that isn't in it has none any more.

        Only what differs is written. `states` are the objects' observed states, shown by `statuses`; None leaves them.
        """
        with self._lock:
            with self._reading() as connection:
                if self._conditions is None:
                    self._conditions = history.conditions(connection)
                revision_differs = _info(connection).get(_REVISION) != revision
                known_states = {Ref(*row[:2]): row[2] for row in connection.execute("SELECT * FROM state")}
            changed = history.changed_conditions(self._conditions, found, rfc3339(self._clock()))
            wanted = known_states if states is None else states
            new_states = {ref: state for ref, state in wanted.items() if known_states.get(ref) != state}
            gone_states = known_states.keys() - wanted.keys()
            if not (changed or revision_differs or new_states or gone_states):
                return
            with self._writing() as connection:
                history.write_conditions(connection, changed)
                connection.executemany("DELETE FROM state WHERE kind = ? AND name = ?", map(_key, gone_states))
                connection.executemany(
                    "INSERT OR REPLACE INTO state VALUES (?, ?, ?)",
                    ((*_key(ref), state) for ref, state in new_states.items()),
                )
                connection.execute("INSERT OR REPLACE INTO info VALUES (?, ?)", (_REVISION, revision))
            after = {**self._conditions, **changed}
            self._conditions = {ref: items for ref, items in after.items() if items}

    def statuses(self) -> list[ObjectStatus]:
        """Every object that has conditions, in the order of kinds and names."""
        with self._lock, self._reading() as connection:
            return history.statuses(connection, _info(connection).get(_REVISION, ""))

    def status(self, ref: Ref) -> ObjectStatus | None:
        """One object's status; None when nothing is known of it."""
        with self._lock, self._reading() as connection:
            found = history.statuses(connection, _info(connection).get(_REVISION, ""), ref)
            return found[0] if found else None

    # What people ask for from beside the agent

    def suspend(self, ref: Ref | None, *, reason: str = "", who: str = "") -> None:
        """As SuspensionBook.suspend."""
        self.suspensions.suspend(ref, reason=reason, who=who)

    def resume(self, ref: Ref | None) -> None:
        """As SuspensionBook.resume."""
        self.suspensions.resume(ref)

    def suspended(self) -> frozenset[Ref]:
        """As SuspensionBook.suspended."""
        return self.suspensions.suspended()

    def approve(self, digest: str) -> None:
        """As ApprovalBook.approve."""
        self.approvals.approve(digest)

    def approved(self) -> frozenset[str]:
        """As ApprovalBook.approved."""
        return self.approvals.approved()

    def crash_loops(self) -> Mapping[Ref, str]:
        """What `keep_crash_loops` was given last."""
        with self._lock, self._reading() as connection:
            return {Ref(*row[:2]): row[2] for row in connection.execute("SELECT kind, name, runs FROM crash_loop")}

    def keep_crash_loops(self, loops: Mapping[Ref, str]) -> None:
        """Remember the machines that end soon after each start. Only what differs is written."""
        with self._lock:
            known = self.crash_loops()
            if known == loops:
                return
            with self._writing() as connection:
                connection.execute("DELETE FROM crash_loop")
                rows = ((*_key(ref), runs) for ref, runs in loops.items())
                connection.executemany("INSERT INTO crash_loop VALUES (?, ?, ?)", rows)

    # Names and news

    def repository_id(self, source_key: str) -> str:
        """The id of a source that declares none: derived from where it was at first sight, and the same ever after."""
        made = str(uuid.uuid5(_SOURCES, source_key))
        with self._lock:
            with self._reading() as connection:
                row = connection.execute("SELECT id FROM repository WHERE source = ?", (source_key,)).fetchone()
            if row is not None:
                return str(row[0])
            if self._writer is not None:
                with self._writing() as connection:
                    connection.execute("INSERT INTO repository VALUES (?, ?)", (source_key, made))
            return made

    def set_agent_info(self, *, passed: bool = True, **values: str | int | bool) -> None:
        """Tell readers about the agent. Adds `pid`, the first call's time as `started` and, when a pass is through
        (`passed`), the time as `last_pass`.
        """
        now = rfc3339(self._clock())
        with self._writing() as connection:
            self._started = self._started or now
            told = {"pid": os.getpid(), "started": self._started, **({"last_pass": now} if passed else {}), **values}
            connection.executemany(
                "INSERT OR REPLACE INTO info VALUES (?, ?)",
                (
                    (f"agent.{key}", str(value).lower() if isinstance(value, bool) else str(value))
                    for key, value in told.items()
                ),
            )

    def agent_info(self) -> Mapping[str, str]:
        """What the last agent told: pid, started, last_pass and more. `StateFolder.holder` tells if it runs."""
        with self._lock, self._reading() as connection:
            info = _info(connection)
        return {key.removeprefix("agent."): value for key, value in info.items() if key.startswith("agent.")}

    # Connections

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        if self._writer is not None:
            with translated(self.path):
                yield self._writer
            return
        with closing(open_for_reading(self.path)) as connection, translated(self.path):
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        if self._writer is None:
            raise StateError(
                f"the state {self.path} is open for reading; only the agent that holds its lock writes to it"
            )
        with self._lock, transaction(self._writer, self.path) as connection:
            yield connection

    @contextmanager
    def _beside(self) -> Iterator[sqlite3.Connection]:
        """A short connection that may write while an agent runs in another process."""
        connection = open_for_writing(self.path, clock=self._clock, set_aside=False)
        with closing(connection), transaction(connection, self.path):
            yield connection


_OWNED_COLUMNS = "kind, name, uid, path, deletion, parent, created, seed, facts"


def _owned_row(entry: Owned) -> tuple[str | bool, ...]:
    parent = str(entry.parent) if entry.parent is not None else ""
    facts = json.dumps(dict(entry.facts), sort_keys=True)
    return (*_key(entry.ref), entry.uid, entry.path, entry.deletion, parent, entry.created, entry.seed, facts)


def _owned(row: tuple[str, ...]) -> Owned:
    kind, name, uid, path, deletion, parent, created, seed, facts = row
    parent_kind, _, parent_name = parent.partition("/")
    parent_ref = Ref(parent_kind, parent_name) if parent else None
    return Owned(Ref(kind, name), uid, path, deletion, parent_ref, bool(created), bool(seed), json.loads(facts))


def _key(ref: Ref) -> tuple[str, str]:
    return ref.kind, ref.name


def _info(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT key, value FROM info").fetchall())
