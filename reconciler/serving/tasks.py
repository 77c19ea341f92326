"""Long jobs beside the requests that began them: each has a number, a progress message and a truthful end.

A task is shown to the user who began it and to administrators; for all others it isn't there. What somebody began as an
administrator stays administrators'.

They are remembered over a restart of the agent; one that was cut off by it is failed and says so, and what came of the
volumes that it had made. What a job does, and that a job which was cut off leaves nothing half made, is its author's
business; a volume is made as `part_of` the job, so that the ledger knows of it until the job has committed.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

from reconciler.errors import Cancelled, NotFound, OnggiError
from reconciler.ledger.task_records import FAILED, FINISHED, KEPT_TASKS, RUNNING, TaskRecord
from reconciler.ledger.task_store import TaskStore
from reconciler.serving.client import Client

log = logging.getLogger("onggi.tasks")


@dataclass(frozen=True, slots=True)
class Tell:
    """Called with the progress of a task, as a sentence for people; `number` is the task's."""

    number: int
    told: Callable[[int, str], None]

    def __call__(self, message: str) -> None:
        """How far it is."""
        self.told(self.number, message)


Work = Callable[[Tell, threading.Event], "str | None"]  # told to stop by the event; gives the last message

BEGUN: Final = "OK"  # the message of a task that has nothing to tell, as clients know it
_AT_ONCE: Final = 8
_LONGEST_NUMBER: Final = 18
_END_S: Final = 1.0  # what is under way at the end may take that long to end by itself
_CUT_OFF: Final = (
    "The agent was restarted while this was under way. What was committed is still being made; the rest was given up, "
    "and what was half made is removed."
)


def no_task(number: str) -> NotFound:
    """What whoever asks for one is told that isn't there, or isn't theirs."""
    return NotFound(f"Task {number[:40]} doesn't exist; GET /tasks lists those that are remembered.")


class Tasks:
    """One per agent. `open` it once the agent's state is there."""

    def __init__(self, store: TaskStore) -> None:
        """`store` is where the ledger keeps them."""
        self._store = store
        self._lock = threading.Lock()
        self._known: dict[int, TaskRecord] | None = None
        self._stop = threading.Event()
        self._idle = threading.Condition()
        self._under_way = 0
        self._closed = False
        self._workers = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="onggi-task")
        self._fetchers = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="onggi-fetching")

    def start(
        self, target: str, work: Work, client: Client, *, message: str = BEGUN, fetches: bool = False
    ) -> TaskRecord:
        """Begin `work` in a thread of its own. `target` is the address of what it works on. Raises StateError.

        What `fetches` from a server on the network waits for others that do, and keeps nobody else waiting.
        """
        record = self.begin(target, client, message=message)
        (self._fetchers if fetches else self._workers).submit(self._run, record, work)
        return record

    def begin(self, target: str, client: Client, *, message: str = BEGUN) -> TaskRecord:
        """A task that no thread works on: it goes on with further requests, until somebody calls `end`."""
        with self._lock:
            known = self._remembered()
            record = self._store.begin(target, message, client.source, client.owner)
            known[record.id] = record
            for number in [number for number in known if number <= record.id - KEPT_TASKS]:
                if known[number].status != RUNNING:
                    del known[number]
        return record

    def tell(self, number: int, message: str) -> None:
        """How far a task is, as a sentence for people; one that has ended keeps its last message."""
        with self._lock:
            record = self._remembered()[number]
            if record.status == RUNNING:
                self._remembered()[number] = replace(record, message=message)

    def end(self, number: int, problem: str = "", *, message: str = BEGUN) -> None:
        """The task has come to its end, good unless there is a `problem`."""
        status, message = (FAILED, problem) if problem else (FINISHED, message)
        with self._lock:
            if self._closed:
                return  # the state is closed too; the next start tells of it
            try:
                self._store.end(number, status, message)
            except OnggiError as error:
                log.error("%s", error)  # noqa: TRY400  # a sentence; the trace says no more
            self._remembered()[number] = replace(self._remembered()[number], status=status, message=message)

    def get(self, number: str, client: Client) -> TaskRecord:
        """One of a client's tasks. Raises NotFound, in the same words for one that isn't there and another's."""
        is_number = number.isascii() and number.isdecimal() and len(number) <= _LONGEST_NUMBER
        with self._lock:
            found = self._remembered().get(int(number)) if is_number else None
        if found is None or not client.owns(found.owner):
            raise no_task(number)
        return found

    def all(self, client: Client) -> list[TaskRecord]:
        """Every task of a client's that is remembered, oldest first."""
        with self._lock:
            return [record for record in self._remembered().values() if client.owns(record.owner)]

    def is_running(self, target: str) -> bool:
        """Whether anybody's task works on this address."""
        with self._lock:
            return any(each.target == target and each.status == RUNNING for each in self._remembered().values())

    def is_under_way(self, number: int) -> bool:
        """Whether a task hasn't ended, whosever it is."""
        with self._lock:
            found = self._remembered().get(number)
            return found is not None and found.status == RUNNING

    def by_status(self) -> Counter[str]:
        """How many of all tasks that are remembered are in each status."""
        with self._lock:
            return Counter(record.status for record in self._remembered().values())

    def close(self) -> None:
        """Tell what is under way to stop; the next start says that it was cut off unless it ends in time."""
        self._stop.set()
        for workers in (self._workers, self._fetchers):
            workers.shutdown(wait=False, cancel_futures=True)
        with self._idle:
            self._idle.wait_for(lambda: not self._under_way, _END_S)
        with self._lock:
            self._closed = True

    def _remembered(self) -> dict[int, TaskRecord]:
        store = self._store
        if self._known is None:
            store.interrupt(_CUT_OFF)
            store.take_late()  # the table tells as much
            self._known = {record.id: record for record in store.all()}
        self._known |= {record.id: record for record in store.take_late()}
        return self._known

    def _run(self, record: TaskRecord, work: Work) -> None:
        with self._idle:
            self._under_way += 1
        try:
            self._work(record, work)
        finally:
            with self._idle:
                self._under_way -= 1
                self._idle.notify_all()

    def _work(self, record: TaskRecord, work: Work) -> None:
        try:
            self.end(record.id, message=work(Tell(record.id, self.tell), self._stop) or BEGUN)
        except Cancelled as error:
            if not self._stop.is_set():  # else the next start tells of it
                self.end(record.id, str(error))
        except OnggiError as error:
            self.end(record.id, str(error))
        except Exception:
            log.exception("the task %s on %s ended unexpectedly", record.id, record.target)
            self.end(record.id, "Something unexpected went wrong; the agent's log tells what.")
