"""Lets a plan's groups be applied: quick ones at once, slow ones beside the loop, failing ones after a while.

An object that is being worked on is busy, and left out of what begins, until the loop has looked at it afresh: between
its last step and that look a plan would be made from what is no longer true.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from reconciler.applying.backoff import Backoff
from reconciler.applying.outcome import Result, StepOutcome
from reconciler.desired.state import DesiredState
from reconciler.errors import OnggiError
from reconciler.groups import groups, takes_long
from reconciler.line import Line
from reconciler.planning.plan import Plan
from reconciler.repeats import Repeats
from reconciler.wakeup import Wakeup
from specs.reference import Ref

log = logging.getLogger("onggi.agent")

_BESIDE = 8  # groups at once; each of them shares the executor's workers with the others

Digests = Mapping[Ref, str]


class Dispatcher:
    """One per agent. `wakeup` is told of every object that was touched."""

    def __init__(self, line: Line, wakeup: Wakeup, stop: threading.Event) -> None:
        self.backoff = Backoff(random=random.random)
        self._line = line
        self._wakeup = wakeup
        self._stop = stop
        self._repeats = Repeats()
        self._outcomes: dict[Ref, StepOutcome] = {}
        self._busy: set[Ref] = set()
        self._finished: set[Ref] = set()  # of the busy ones, those that are done and wait for a fresh look
        self._workers = ThreadPoolExecutor(max_workers=_BESIDE, thread_name_prefix="onggi-apply")
        self._lock = threading.Lock()

    @property
    def idle(self) -> bool:
        """True when nothing is under way beside the loop."""
        with self._lock:
            return not self._busy

    @property
    def outcomes(self) -> tuple[StepOutcome, ...]:
        """The last outcome of each object."""
        with self._lock:
            return tuple(self._outcomes.values())

    def finished(self) -> frozenset[Ref]:
        """What is done. Ask before reading the host, and hand the answer to `looked_at` after it."""
        with self._lock:
            return frozenset(self._finished)

    def looked_at(self, finished: frozenset[Ref]) -> None:
        """These have been read since they were done: they are free for new work."""
        with self._lock:
            self._busy -= finished
            self._finished -= finished

    def next_due_s(self) -> float | None:
        """Seconds until something that failed may be tried again."""
        with self._lock:
            return self.backoff.next_due()

    def dispatch(self, plan: Plan, desired: DesiredState) -> None:
        """Begin what can begin. Returns when the quick groups are done. Raises StateError."""
        digests = {
            step.ref: resource.digest if (resource := desired.resources.get(step.ref)) is not None else ""
            for step in plan.steps
        }
        with self._lock:
            held = {ref for ref, digest in digests.items() if not self.backoff.due(ref, digest)} | self._busy
        for part in groups(plan, held):
            if takes_long(part):
                refs = {step.ref for step in part.steps}
                with self._lock:
                    self._busy |= refs
                self._workers.submit(self._beside, part, digests, refs)
            else:
                self._applied(self._line.apply(part, stop=self._stop), digests)

    def close(self) -> None:
        """Wait for what is under way; `stop` has to be set, so that it ends soon."""
        self._workers.shutdown(wait=True, cancel_futures=True)

    def _beside(self, part: Plan, digests: Digests, refs: set[Ref]) -> None:
        outcomes: tuple[StepOutcome, ...] = ()
        try:
            outcomes = self._line.apply(part, stop=self._stop)
        except OnggiError as error:
            log.error("%s", error)  # noqa: TRY400  # a sentence; the trace says no more
        except Exception:
            log.exception("a group of steps failed unexpectedly")
        finally:
            self._applied(outcomes, digests)
            with self._lock:
                self._finished |= refs
            self._wakeup.nudge()

    def _applied(self, outcomes: tuple[StepOutcome, ...], digests: Digests) -> None:
        """Count successes and failures, and have whatever was touched looked at: the next pass must find it at rest."""
        for outcome in outcomes:
            step = outcome.step
            with self._lock:
                self._outcomes[step.ref] = outcome
                if outcome.result is Result.FAILED:
                    self.backoff.failed(step.ref, digests[step.ref], outcome.retry_after_s)
                elif outcome.result is not Result.SKIPPED and self._repeats.goes_on(step, time.monotonic()):
                    log.warning("%s keeps coming back as it was: is something else changing it?", step.ref)
                    self.backoff.failed(step.ref, digests[step.ref], 0.0)
                elif outcome.result is not Result.SKIPPED:
                    self.backoff.succeeded(step.ref)
            if outcome.result is Result.FAILED:
                log.error("%s %s: %s", step.action, step.ref, outcome.message)
            elif outcome.result is not Result.SKIPPED:
                log.info("%s %s: %s (%s)", step.action, step.ref, outcome.result, step.why)
            if outcome.result is not Result.SKIPPED:
                self._wakeup.object(step.ref)
