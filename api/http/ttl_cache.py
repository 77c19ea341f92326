"""An answer of the host that is asked for at request, at most once within a few seconds whoever asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class TtlCache(Generic[_T]):
    """For any thread. A question that fails raises what it raises, and is asked anew next time."""

    def __init__(self, ask: Callable[[], _T], keep_s: float) -> None:
        self._ask = ask
        self._keep_s = keep_s
        self._lock = threading.Lock()
        self._known: tuple[float, _T] | None = None

    def __call__(self) -> _T:
        """The answer; who asks while it is asked for waits for the same one."""
        with self._lock:
            if self._known is None or time.monotonic() - self._known[0] >= self._keep_s:
                answer = self._ask()
                self._known = time.monotonic(), answer
            return self._known[1]
