"""A few threads for many clients who take turns: who asks for much waits for himself, and nobody for him."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

_T = TypeVar("_T")


class FairPool:
    """Work of several clients, done a piece of each in turn. For any thread."""

    def __init__(self, threads: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, deque[tuple[Future[Any], Callable[[], Any]]]] = OrderedDict()

    def submit(self, who: str, work: Callable[[], _T]) -> Future[_T]:
        """Have `work` done when it's the turn of `who`. One that is cancelled before is left out."""
        future: Future[_T] = Future()
        with self._lock:
            self._waiting.setdefault(who, deque()).append((future, work))
        self._pool.submit(self._do_next)
        return future

    def _do_next(self) -> None:
        with self._lock:
            who, pieces = self._waiting.popitem(last=False)
            future, work = pieces.popleft()
            if pieces:
                self._waiting[who] = pieces  # behind all others
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(work())
        except BaseException as error:  # whatever it is, it's for whoever waits
            future.set_exception(error)
