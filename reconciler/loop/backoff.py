"""When an object that failed may be tried again: each failure doubles the wait, success or a new document ends it.

Pure but for the clocks and the random numbers that are handed in. Deciding what failed is the executor's business.
"""

from __future__ import annotations

import random as random_numbers
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from reconciler.clock import Clock, utc_now
from reconciler.status.retries import Retry
from specs.reference import Ref

FIRST_S = 1.0
FIRST_TERMINAL_S = 30.0  # what won't go away by itself is looked at again all the same, only later
LONGEST_S = 300.0

_SPREAD = 0.25  # a wait is shortened by up to this part, so that objects that failed together come back one by one


@dataclass(slots=True)
class _Entry:
    digest: str
    failures: int
    due: float  # on the monotonic clock
    retry: Retry
    told: bool = False


class Backoff:
    """Holds no lock: whoever shares one between threads brings it."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Clock = utc_now,
        random: Callable[[], float] = random_numbers.random,
    ) -> None:
        self._clock = clock
        self._now = now
        self._random = random
        self._entries: dict[Ref, _Entry] = {}

    def due(self, ref: Ref, digest: str = "") -> bool:
        """May `ref` be tried now? Always when `digest`, of the resource and whatever else counts, is a new one."""
        entry = self._entries.get(ref)
        if entry is not None and entry.digest != digest:
            del self._entries[ref]
            return True
        return entry is None or entry.due <= self._clock()

    def failed(self, ref: Ref, digest: str = "", retry_after_s: float | None = None) -> None:
        """Note a failure. `retry_after_s` is the error's hint, a lower bound; None: the error was terminal."""
        before = self._entries.get(ref)
        failures = before.failures + 1 if before is not None and before.digest == digest else 1
        first = FIRST_TERMINAL_S if retry_after_s is None else FIRST_S
        # The exponent is bounded: 2.0 ** 2000 is an error, and the wait has long been the longest by then.
        wait = min(LONGEST_S, max(first * 2.0 ** min(failures - 1, 16), retry_after_s or 0.0))
        wait *= 1.0 - _SPREAD * self._random()
        retry = Retry(failures, self._now() + timedelta(seconds=wait), retry_after_s is None)
        self._entries[ref] = _Entry(digest, failures, self._clock() + wait, retry)

    def succeeded(self, ref: Ref) -> None:
        """Forget the failures of `ref`."""
        self._entries.pop(ref, None)

    def forget_others(self, current: Callable[[Ref], str]) -> None:
        """Forget what failed as a document that isn't in force any more, though it should come back later.

        `current` gives the digest of an object's document now, empty for none; those of failures may go on behind it.
        """
        for ref, entry in [*self._entries.items()]:
            digest = current(ref)
            if not entry.digest.startswith(digest) or bool(digest) != bool(entry.digest):
                del self._entries[ref]

    def retry(self, ref: Ref) -> Retry | None:
        """What `ref` waits for; None when it hasn't failed."""
        entry = self._entries.get(ref)
        return entry.retry if entry is not None else None

    def retries(self) -> Mapping[Ref, Retry]:
        """All that waits, and for what."""
        return {ref: entry.retry for ref, entry in self._entries.items()}

    def next_due(self) -> float | None:
        """Seconds until the next object may be tried; None when nothing waits.

        What is due already is told once: if nobody then tries it, it has nothing left to do, and waking for it again
        and again would keep the loop spinning.
        """
        now = self._clock()
        overdue = [entry for entry in self._entries.values() if entry.due <= now and not entry.told]
        for entry in overdue:
            entry.told = True
        if overdue:
            return 0.0
        return min((entry.due - now for entry in self._entries.values() if entry.due > now), default=None)
