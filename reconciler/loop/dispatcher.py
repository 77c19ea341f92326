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
from dataclasses import replace

from reconciler.desired.state import DesiredState
from reconciler.errors import OnggiError
from reconciler.line.line import Line
from reconciler.loop.backoff import Backoff
from reconciler.loop.crash_loops import CrashLoops, ended_by_itself
from reconciler.loop.debounce import Debounce
from reconciler.loop.flap_detector import FlapDetector
from reconciler.loop.work_queue import WorkQueue
from reconciler.planning.groups import fetches, groups, takes_long
from reconciler.planning.operations import Start, Stop
from reconciler.planning.plan import Plan, Step
from reconciler.reporting.metrics import Tally
from reconciler.status.one_pass import Pass
from reconciler.status.outcome import Result, StepOutcome
from reconciler.status.step_text import step_text
from specs.reference import Ref

log = logging.getLogger("onggi.agent")

_BESIDE = 8  # groups at once; each of them shares the executor's workers with the others

Digests = Mapping[Ref, str]


class Dispatcher:
    """One per agent. `queue` is told of every object that was touched, `tally` of what came of each step."""

    def __init__(self, line: Line, queue: WorkQueue, stop: threading.Event, tally: Tally) -> None:
        self._backoff = Backoff(random=random.random)
        self._line = line
        self._queue = queue
        self._stop = stop
        self._tally = tally
        self._flaps = FlapDetector()
        self._debounce = Debounce()
        self._resting: frozenset[Ref] = frozenset()
        self._crash_loops = CrashLoops(line.ledger.crash_loops.all())
        self._outcomes: dict[Ref, StepOutcome] = {}
        self._busy: set[Ref] = set()
        self._finished: set[Ref] = set()  # of the busy ones, those that are done and wait for a fresh look
        self._workers = ThreadPoolExecutor(max_workers=_BESIDE, thread_name_prefix="onggi-apply")
        # Apart: a server that takes its time holds up other downloads, and nothing else.
        self._fetchers = ThreadPoolExecutor(max_workers=_BESIDE, thread_name_prefix="onggi-fetch")
        self._lock = threading.Lock()
        self._moved = False

    @property
    def idle(self) -> bool:
        """True when nothing is under way beside the loop."""
        with self._lock:
            return not self._busy

    @property
    def moving(self) -> bool:
        """True when something is under way, or was done by the last `dispatch`: the next pass finds things changed."""
        return self._moved or not self.idle

    @property
    def busy(self) -> frozenset[Ref]:
        """What something is being done to, or was and hasn't been looked at since."""
        with self._lock:
            return frozenset(self._busy)

    def add_to(self, now: Pass) -> Pass:
        """The same pass, with what has come of its plan so far and what waits to be tried again."""
        with self._lock:
            return replace(
                now,
                busy=frozenset(self._busy),
                outcomes=dict(self._outcomes),
                retries=self._backoff.retries(),
                flapping=self._flaps.flapping(time.monotonic()),
                crash_loops=self._crash_loops.resting(),
            )

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
            due = (self._backoff.next_due(), self._crash_loops.next_due_s())
            return min((each for each in due if each is not None), default=None)

    def rested_in_s(self) -> float | None:
        """Seconds until what is changed by hand may have come to rest."""
        with self._lock:
            return self._debounce.next_due_s(time.monotonic())

    def rest(self, now: Pass) -> frozenset[Ref]:
        """What was just changed by hand and perhaps still is: it isn't judged, nor repaired by `dispatch`, until it has
        come to rest.
        """
        with self._lock:
            self._resting, to_look_at = self._debounce.unsettled(now.plan.steps, time.monotonic(), now.snapshot.objects)
        for ref in to_look_at:
            self._queue.changed(ref)
        return self._resting

    def dispatch(self, now: Pass) -> None:
        """Begin what can begin. Returns when the quick groups are done. Raises StateError."""
        plan, desired = now.plan, now.wish
        self._moved = False
        digests = {step.ref: _digest(step, desired) for step in plan.steps}
        with self._lock:
            self._backoff.forget_others(lambda ref: _document(ref, desired))
            waiting = {ref for ref, digest in digests.items() if not self._backoff.due(ref, digest)} | self._busy
            waiting |= self._crash_loops.not_yet((step for step in plan.steps if step.ref not in waiting), digests)
            kept = self._crash_loops.to_keep()
            waiting |= self._resting
        self._line.ledger.crash_loops.keep(kept)
        for part in groups(plan, waiting):
            if takes_long(part):
                refs = {step.ref for step in part.steps}
                with self._lock:
                    self._busy |= refs
                workers = self._fetchers if fetches(part) else self._workers
                workers.submit(self._beside, part, digests, refs)
            else:
                self._applied(self._line.apply(part, stop=self._stop), digests, part.revision)

    def close(self) -> None:
        """Wait for what is under way; `stop` has to be set, so that it ends soon."""
        for workers in (self._workers, self._fetchers):
            workers.shutdown(wait=True, cancel_futures=True)

    def _beside(self, part: Plan, digests: Digests, refs: set[Ref]) -> None:
        outcomes: tuple[StepOutcome, ...] = ()
        try:
            outcomes = self._line.apply(part, stop=self._stop)
        except OnggiError as error:
            log.error("%s", error)  # noqa: TRY400  # a sentence; the trace says no more
        except Exception:
            log.exception("a group of steps failed unexpectedly")
        finally:
            self._applied(outcomes, digests, part.revision)
            with self._lock:
                self._finished |= refs
            self._queue.wake()

    def _applied(self, outcomes: tuple[StepOutcome, ...], digests: Digests, revision: str) -> None:
        """Count successes and failures, and have whatever was touched looked at: the next pass must find it at rest."""
        self._tally.ended(outcomes)
        self._moved |= any(outcome.ok for outcome in outcomes)
        for outcome in outcomes:
            step, flapping = outcome.step, None
            with self._lock:
                self._outcomes[step.ref] = outcome
                self._debounce.done(step.ref)
                if outcome.result is Result.FAILED:
                    self._backoff.failed(step.ref, digests[step.ref], outcome.retry_after_s)
                elif outcome.result is not Result.SKIPPED:
                    self._crash_loops.started(step, digests[step.ref])
                    if not ended_by_itself(step):  # those have a back-off of their own
                        flapping = self._flaps.count(step, time.monotonic())
                    if flapping is None:
                        self._backoff.succeeded(step.ref)
                    else:  # no fight for ever: each repair waits longer than the one before
                        self._backoff.failed(step.ref, digests[step.ref], 0.0)
            if outcome.result is Result.FAILED:
                log.error("%s %s: %s", step.action, step.ref, outcome.message)
            elif outcome.result is not Result.SKIPPED:
                log.info("%s %s: %s (%s)", step.action, step.ref, outcome.result, step_text(step))
            if outcome.result is not Result.SKIPPED:
                for ref in touched(step):
                    self._queue.changed(ref)
            if flapping is not None:
                self._warn(step.ref, flapping.message, revision)

    def _warn(self, ref: Ref, message: str, revision: str) -> None:
        log.warning("%s: %s", ref, message)
        try:
            self._line.ledger.history.warn(ref, "flapping", message, revision)
        except OnggiError as error:  # a full disk costs the event; the rest of the outcomes still counts
            log.error("%s", error)  # noqa: TRY400  # a sentence; the trace says no more


def touched(step: Step) -> tuple[Ref, ...]:
    """What is another one after a step: its object, and before that what was renamed to it. A snapshot that has both
    names would take them for two objects with one UUID.
    """
    return tuple(dict.fromkeys((*(operation.ref for operation in step.operations), step.ref)))


def _document(ref: Ref, desired: DesiredState) -> str:
    resource = desired.resources.get(ref)
    return resource.digest if resource is not None else ""


def _digest(step: Step, desired: DesiredState) -> str:
    """What a failed step's wait goes by. A guest that won't shut down must not keep live changes waiting."""
    digest = _document(step.ref, desired)
    kinds = [type(operation) for operation in step.operations]
    if Stop in kinds and Start in kinds:
        digest += f" restarted for {sorted(change.pointer for change in step.changes)}"
    return digest
