"""An answer of the host that takes its time: found once for all who ask meanwhile, none of whom holds a thread."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from reconciler.errors import Transient

_T = TypeVar("_T")


class SingleFlight(Generic[_T]):
    """For any thread and event loop. `what` begins the sentence that it takes long. An answer is kept for `keep_s`; an
    error goes to everybody who waits, and the next one asks anew.
    """

    def __init__(self, ask: Callable[[], _T], what: str, *, keep_s: float = 0.0) -> None:
        self._ask = ask
        self._what = what
        self._keep_s = keep_s
        self._lock = threading.Lock()
        self._answer: Future[_T] | None = None
        self._until = 0.0  # when a good answer is too old

    async def __call__(self, within_s: float) -> _T:
        """The answer. Raises Transient after `within_s`, while it is still looked for, and what asking raises."""
        answer = asyncio.wrap_future(self._begin())
        answer.add_done_callback(lambda late: late.cancelled() or late.exception())  # perhaps nobody hears it any more
        try:
            return await asyncio.wait_for(asyncio.shield(answer), within_s)
        except TimeoutError:
            raise Transient(f"{self._what} takes long; try again in a while.", retry_after_s=10.0) from None

    def forget(self) -> None:
        """What was found, or is being looked for, isn't true any more: the next one asks anew."""
        with self._lock:
            self._answer = None

    def _begin(self) -> Future[_T]:
        with self._lock:
            answer = self._answer
            if answer is not None and (not answer.done() or time.monotonic() < self._until):
                return answer
            answer = Future()
            answer.set_running_or_notify_cancel()  # so that none of those who wait can call it off for the others
            threading.Thread(target=self._find, args=(answer,), name="onggi-asks", daemon=True).start()
            self._answer = answer
            return answer

    def _find(self, answer: Future[_T]) -> None:
        try:
            found = self._ask()
        except BaseException as error:  # theirs who wait
            self._keep(answer, 0.0)
            answer.set_exception(error)
        else:
            self._keep(answer, time.monotonic() + self._keep_s)
            answer.set_result(found)

    def _keep(self, answer: Future[_T], until: float) -> None:
        with self._lock:
            if self._answer is answer:  # else it was forgotten meanwhile
                self._until = until
