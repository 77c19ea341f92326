"""Waiting for the world to get somewhere: the only place in the tests that sleeps.

A test names the condition and a limit, which is there for what hangs; how long it really takes is the business of the
machine, and that may be busy. What the condition means is left to the caller.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LEAST_S = 120.0  # on a busy machine, what takes a second on an idle one may take a minute


def until(condition: Callable[[], T], timeout_s: float, what: str, *, every_s: float = 0.05, strict: bool = False) -> T:
    """Ask `condition` until its answer is true, and return that answer.

    After `timeout_s` seconds it fails with `what`, the last answer and the last exception; never before `LEAST_S`,
    unless it is `strict`: something else makes the condition true after a longer time. An exception counts as "not
    yet": an object that is still being made is often not found at first.
    """
    timeout_s = timeout_s if strict else max(timeout_s, LEAST_S)
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
