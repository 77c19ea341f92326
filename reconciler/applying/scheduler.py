"""Runs tasks on three queues of workers (quick, slow, fetching); what waits for another's lock takes no worker.

A task names the locks that it holds while it runs (its object's, a storage pool's). It is queued only when all of them
are free, so that a pool's volumes are made one after the other while the workers do something else. What a task does is
its owner's business.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum


class Queue(StrEnum):
    """Quick: milliseconds. Slow: waits for a guest, or much data. Fetching: waits for a server on the network, which
    may have all the time in the world.
    """

    QUICK = "quick"
    SLOW = "slow"
    FETCHING = "fetching"


@dataclass(frozen=True, slots=True)
class Task:
    """`work` must not raise. `locks` are names; two tasks that share one never run at once."""

    work: Callable[[], None]
    locks: frozenset[str] = frozenset()
    queue: Queue = Queue.QUICK


class _Workers:
    def __init__(self, name: str, workers: int) -> None:
        self.tasks: deque[Task] = deque()
        self.number = workers
        self.active = 0
        self.pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix=f"onggi-{name}")


class Scheduler:
    """Bounds the threads of all who share it. Tasks of one queue begin in the order in which they became free."""

    def __init__(self, workers: Mapping[Queue, int]) -> None:
        self._lock = threading.Lock()
        self._workers = {queue: _Workers(queue, workers[queue]) for queue in Queue}
        self._mine = threading.local()
        self._held: set[str] = set()
        self._waiting: dict[str, deque[Task]] = {}  # by a lock that each of them waits for

    def submit(self, tasks: Iterable[Task], *, leaving: bool = False) -> None:
        """Run `tasks` as soon as their locks are free and a worker of their queue is.

        `leaving` says that the calling task ends right after this, so that its own worker counts as a free one.
        """
        with self._lock:
            for task in tasks:
                self._admit(task)
            self._wake(leaving=leaving)

    def _admit(self, task: Task) -> None:
        for name in task.locks:
            if name in self._held:
                self._waiting.setdefault(name, deque()).append(task)
                return
        self._held |= task.locks  # all or nothing: two tasks can't wait for each other
        self._workers[task.queue].tasks.append(task)

    def _wake(self, *, leaving: bool) -> None:
        for workers in self._workers.values():
            # Waking a thread costs more than most tasks do: not for what this worker takes up by itself.
            mine = 1 if leaving and getattr(self._mine, "workers", None) is workers else 0
            for _ in range(min(len(workers.tasks) - mine, workers.number - workers.active)):
                workers.active += 1
                workers.pool.submit(self._work, workers)

    def _work(self, workers: _Workers) -> None:
        """A worker: takes tasks until there are none, and goes."""
        self._mine.workers = workers
        while True:
            with self._lock:
                if not workers.tasks:
                    workers.active -= 1
                    return
                task = workers.tasks.popleft()
            task.work()
            if task.locks:
                self._release(task.locks)

    def _release(self, names: frozenset[str]) -> None:
        with self._lock:
            self._held -= names
            if not self._waiting:
                return
            for name in names:
                waiting = self._waiting.pop(name, None)
                while waiting and name not in self._held:
                    self._admit(waiting.popleft())
                if waiting:  # put back in front of those that came here meanwhile
                    waiting.extend(self._waiting.get(name, ()))
                    self._waiting[name] = waiting
            self._wake(leaving=True)
