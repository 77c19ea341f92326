"""Waiting for the world to get somewhere: the only place in the tests that sleeps.

A test names the condition and a limit; how long it really takes is the machine's business. What the condition means is
left to the caller.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T], timeout_s: float, what: str, *, every_s: float = 0.05) -> T:
    """Ask `condition` until its answer is true, and return that answer.

    After `timeout_s` seconds it fails with `what`, the last answer and the last exception. An exception counts as "not
    yet": an object that is still being made is often not found at first.
    """
    end = time.monotonic() + timeout_s
    while True:
        error: Exception | None = None
        answer: T | None = None
        try:
            answer = condition()
        except Exception as caught:
            error = caught
        if answer:
            return answer
        if time.monotonic() >= end:
            last = f"the last attempt raised {error!r}" if error else f"the last answer was {answer!r}"
            raise AssertionError(f"not within {timeout_s:g} s: {what}; {last}") from error
        time.sleep(every_s)
