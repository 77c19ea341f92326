"""Keeps a machine that ends soon after each start from being started without a rest: each short run doubles the wait.

Counts only ends that a machine comes to by itself (`Start.again`), not those by hand. Waiting, starting and telling
people are the dispatcher's business and the status's.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from reconciler.planning.operations import Start
from reconciler.planning.plan import Step
from reconciler.status.retries import STABLE_S, CrashLoop
from specs.reference import Ref
from specs.registry import described

FIRST_S = 10.0
LONGEST_S = 300.0
_FREE = 1  # a first short run, such as of an installer that switches its machine off, costs no wait


@dataclass(slots=True)
class _Runs:
    digest: str
    started: float  # by onggi; in seconds since 1970, for it is kept while the agent is away
    ended: bool = False  # its end has been counted
    end: str = ""
    short: int = 0
    due: float = 0.0


class CrashLoops:
    """Holds no lock: whoever shares one between threads brings it. `kept` is what `to_keep` gave to an earlier one."""

    def __init__(self, kept: Mapping[Ref, str], clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._runs = {ref: _Runs(**json.loads(text)) for ref, text in kept.items()}

    def not_yet(self, steps: Iterable[Step], digests: Mapping[Ref, str]) -> frozenset[Ref]:
        """The machines among `steps` that have to rest before they are started again. A new `digest` ends a rest."""
        return frozenset(
            step.ref
            for step in steps
            if (end := ended_by_itself(step)) and not self._due(step.ref, digests.get(step.ref, ""), end)
        )

    def _due(self, ref: Ref, digest: str, end: str) -> bool:
        runs = self._runs.get(ref)
        if runs is None:
            return True  # whoever started the run that has ended, it wasn't onggi
        now = self._clock()
        if runs.digest != digest:
            runs.digest, runs.short, runs.due, runs.ended = digest, 0, 0.0, True
        elif not runs.ended:
            runs.ended, runs.end = True, end
            runs.short = runs.short + 1 if 0 <= now - runs.started < STABLE_S else 0
            runs.due = now + _wait_s(runs.short)
        return not self._rests(runs, now)

    def started(self, step: Step, digest: str) -> None:
        """Note a step that succeeded, if it started a machine."""
        if not described(step.ref.kind).has_guest or not any(isinstance(each, Start) for each in step.operations):
            return
        before = self._runs.get(step.ref)
        short = before.short if before is not None and ended_by_itself(step) and before.digest == digest else 0
        self._runs[step.ref] = _Runs(digest, self._clock(), short=short)

    def resting(self) -> Mapping[Ref, CrashLoop]:
        """Every machine that waits for its next start."""
        now = self._clock()
        return {
            ref: CrashLoop(runs.short, runs.end, datetime.fromtimestamp(runs.due, UTC))
            for ref, runs in self._runs.items()
            if self._rests(runs, now)
        }

    def next_due_s(self) -> float | None:
        """Seconds until the next rest is over; None when nothing rests."""
        now = self._clock()
        return min((runs.due - now for runs in self._runs.values() if self._rests(runs, now)), default=None)

    def to_keep(self) -> Mapping[Ref, str]:
        """What has to outlive the agent: the runs of machines that are in a loop, as text."""
        return {ref: json.dumps(asdict(runs)) for ref, runs in self._runs.items() if runs.short > _FREE}

    def _rests(self, runs: _Runs, now: float) -> bool:
        # A clock that was put back must not make a rest of hours.
        return runs.ended and now < runs.due <= now + LONGEST_S


def ended_by_itself(step: Step) -> str:
    """How the machine ended that `step` starts again; empty when that was by hand, or when it starts none."""
    return next((each.again for each in step.operations if isinstance(each, Start)), "")


def _wait_s(short: int) -> float:
    # The exponent is bounded: by then the wait has long been the longest.
    return 0.0 if short <= _FREE else min(LONGEST_S, FIRST_S * 2.0 ** min(short - _FREE - 1, 16))
