"""Seconds, taken and summed up. What is timed is for others."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

POLL_S = 0.001


@dataclass(frozen=True, slots=True)
class Times:
    """The seconds that one thing took, once for each repetition. Never empty."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The p50."""
        return statistics.median(self.seconds)

    @property
    def p95(self) -> float:
        """The smallest one that at least 95 % are not above; the largest of fewer than twenty."""
        return self.p(0.95)

    def p(self, share: float) -> float:
        """The smallest one that at least this share is not above."""
        return sorted(self.seconds)[math.ceil(share * len(self.seconds)) - 1]


def timed(call: Callable[[], object]) -> float:
    """The seconds that `call` takes."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def repeated(times: int, call: Callable[[], object], before: Callable[[], object] = lambda: None) -> Times:
    """`call` timed again and again, with `before` (untimed) ahead of each."""
    seconds = []
    for _ in range(times):
        before()
        seconds.append(timed(call))
    return Times(tuple(seconds))


def seconds_until(holds: Callable[[], bool], what: str, *, timeout_s: float) -> float:
    """How long it takes from now until `holds()`. Raises TimeoutError naming `what`."""
    begun = time.perf_counter()
    while not holds():
        if time.perf_counter() - begun > timeout_s:
            raise TimeoutError(f"{what}: not within {timeout_s:g} s")
        time.sleep(POLL_S)
    return time.perf_counter() - begun
