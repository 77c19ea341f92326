"""Lanes of workers (quick, slow, fetching) that take what is ready; what waits for another's lock takes no worker.

A task names what it holds while it runs (its object, a storage pool). It is queued only when all of that is free, so
that a pool's volumes are made one after the other while the workers do something else. What a task does is its owner's
business.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum


class Lane(StrEnum):
    """Quick: milliseconds. Slow: waits for a guest, or much data. Fetching: waits for a server on the network, which
    may have all the time in the world.
    """

    QUICK = "quick"
    SLOW = "slow"
    FETCHING = "fetching"


@dataclass(frozen=True, slots=True)
class Task:
    """`work` must not raise. `holds` are names; two tasks that share one never run at once."""

    work: Callable[[], None]
    holds: frozenset[str] = frozenset()
    lane: Lane = Lane.QUICK


class _Workers:
    def __init__(self, name: str, workers: int) -> None:
        self.queue: deque[Task] = deque()
        self.workers = workers
        self.active = 0
        self.pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix=f"onggi-{name}")


class Lanes:
    """Bounds the threads of all who share it. Tasks of one lane begin in the order in which they became free to run."""

    def __init__(self, workers: Mapping[Lane, int]) -> None:
        self._lock = threading.Lock()
        self._lanes = {lane: _Workers(lane, workers[lane]) for lane in Lane}
        self._worker = threading.local()
        self._held: set[str] = set()
        self._parked: dict[str, deque[Task]] = {}  # by a name that each of them waits for

    def submit(self, tasks: Iterable[Task], *, leaving: bool = False) -> None:
        """Run `tasks` as soon as what they hold is free and a worker of their lane is.

        `leaving` says that the calling task ends right after this, so that its own worker counts as a free one.
        """
        with self._lock:
            for task in tasks:
                self._admit(task)
            self._wake(leaving=leaving)

    def _admit(self, task: Task) -> None:
        for name in task.holds:
            if name in self._held:
                self._parked.setdefault(name, deque()).append(task)
                return
        self._held |= task.holds  # all or nothing: two tasks can't wait for each other
        self._lanes[task.lane].queue.append(task)

    def _wake(self, *, leaving: bool) -> None:
        for lane in self._lanes.values():
            # Waking a thread costs more than most tasks do: not for what this worker takes up by itself.
            mine = 1 if leaving and getattr(self._worker, "lane", None) is lane else 0
            for _ in range(min(len(lane.queue) - mine, lane.workers - lane.active)):
                lane.active += 1
                lane.pool.submit(self._work, lane)

    def _work(self, lane: _Workers) -> None:
        """A worker: takes tasks until there are none, and goes."""
        self._worker.lane = lane
        while True:
            with self._lock:
                if not lane.queue:
                    lane.active -= 1
                    return
                task = lane.queue.popleft()
            task.work()
            if task.holds:
                self._release(task.holds)

    def _release(self, names: frozenset[str]) -> None:
        with self._lock:
            self._held -= names
            if not self._parked:
                return
            for name in names:
                waiting = self._parked.pop(name, None)
                while waiting and name not in self._held:
                    self._admit(waiting.popleft())
                if waiting:  # put back in front of those that parked here meanwhile
                    waiting.extend(self._parked.get(name, ()))
                    self._parked[name] = waiting
            self._wake(leaving=True)
