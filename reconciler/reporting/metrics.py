"""What the agent counts for a monitoring system: how long its passes take, and what came of its steps.

Counted from the start of the process on. How it is written for Prometheus is the API's business.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.status.outcome import StepOutcome

BOUNDS_S: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


@dataclass(frozen=True, slots=True)
class Counted:
    """At one moment. `passes` has for each of BOUNDS_S how many took at most so long, and then all.

    `outcomes` are counted by kind and result.
    """

    passes: tuple[int, ...]
    seconds: float
    outcomes: Mapping[tuple[str, str], int]


class Tally:
    """One per agent, for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets = [0] * (len(BOUNDS_S) + 1)
        self._seconds = 0.0
        self._outcomes: Counter[tuple[str, str]] = Counter()

    def passed(self, seconds: float) -> None:
        """A pass is through."""
        with self._lock:
            self._buckets[bisect_left(BOUNDS_S, seconds)] += 1
            self._seconds += seconds

    def ended(self, outcomes: Iterable[StepOutcome]) -> None:
        """Steps have ended."""
        with self._lock:
            self._outcomes.update((outcome.step.ref.kind, outcome.result.value) for outcome in outcomes)

    def counted(self) -> Counted:
        """What was counted so far."""
        with self._lock:
            sums = []
            total = 0
            for count in self._buckets:
                total += count
                sums.append(total)
            return Counted(tuple(sums), self._seconds, dict(self._outcomes))
