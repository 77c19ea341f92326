"""The loop, read aloud: wake up, read what was declared, look at the host, plan, apply, tell. Again.

Events and commits only say where to look; what is true is read from the world each time, and an empty plan is the proof
of rest. Groups of steps that take long (a guest that shuts down, a download) run beside the loop, so that nothing else
waits for them.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from reconciler.applying.backoff import Backoff
from reconciler.applying.outcome import Result, StepOutcome
from reconciler.desired.state import DesiredState
from reconciler.desired.watch import SourceWatch
from reconciler.errors import Disconnected, OnggiError, SourceError
from reconciler.groups import groups, takes_long
from reconciler.line import Line
from reconciler.observed.snapshot import Snapshot
from reconciler.planning.plan import Plan
from reconciler.repeats import Repeats
from reconciler.reporting.status import conditions
from reconciler.settings import Settings
from reconciler.wakeup import Wakeup
from specs.reference import Ref

log = logging.getLogger("onggi.agent")

_RECONNECT_MAX_S = 30.0
_SUSPENSIONS_S = 0.5


class Agent:
    """Keeps one host as one repository says. `run` blocks until `stop` is set; all else may be read meanwhile."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.ready = threading.Event()  # the first pass is through, with everything that it started
        self.wakeup = Wakeup()
        self.snapshot: Snapshot | None = None  # the last good one, served while the host can't be reached
        self.desired: DesiredState | None = None
        self.plan: Plan | None = None
        self._backoff = Backoff(random=random.random)
        self._busy: set[Ref] = set()  # objects of groups that run beside the loop
        self._finished: set[Ref] = set()  # of them, those that are done and have not been looked at since
        self._repeats = Repeats()
        self._beside = ThreadPoolExecutor(max_workers=8, thread_name_prefix="onggi-apply")
        self._lock = threading.Lock()
        self._source_problem = ""
        self._reconnect_s = 0.0
        self._next_resync = 0.0
        self._outcomes: dict[Ref, StepOutcome] = {}
        self._line: Line | None = None
        self._suspended: frozenset[Ref] = frozenset()  # as the last pass saw it

    def interrupt(self) -> None:
        """Once `stop` is set: end at once what the loop waits for, a fetch from a silent server included."""
        self.wakeup.nudge()
        if self._line is not None:
            self._line.source.close()

    def run(self, stop: threading.Event) -> None:
        """Reconcile until `stop` is set. Raises StateError and SourceError when it can't even begin."""
        with Line.open(self.settings, exclusive=True) as line:
            self._line = line
            self.wakeup.source()
            self.wakeup.object(None)
            line.hypervisor.subscribe(self.wakeup.object)
            watch = SourceWatch(line.source, self.wakeup.source)
            watch.start()
            for watcher in (self._poll, self._notice_suspensions):
                threading.Thread(
                    target=watcher, args=(line, stop), name=f"onggi{watcher.__name__}", daemon=True
                ).start()
            try:
                recovered = False
                while not stop.is_set():
                    try:
                        if not recovered:  # also after a reconnect: what libvirtd took down with it is half made
                            recovered = line.recover()
                        self._pass(line, stop)
                    except Disconnected as error:
                        recovered = False
                        self._disconnected(line, error, stop)
                    except OnggiError as error:
                        log.error("%s", error)  # noqa: TRY400  # a sentence; the trace says no more
                        self._again(stop)
                    except Exception:  # whatever one object can make go wrong must not end the care for all others
                        log.exception("a pass failed unexpectedly; it is tried again")
                        self._again(stop)
                    self.wakeup.wait(self._sleep_s())
            finally:
                watch.stop()
                self._beside.shutdown(wait=True, cancel_futures=True)  # `stop` ends what they wait for

    def _pass(self, line: Line, stop: threading.Event) -> None:
        with self._lock:
            finished, self._finished = self._finished, set()
        due = self.wakeup.take()  # after `finished`: its objects were marked before they got into it
        if due.source or self.desired is None:
            self._read_source(line)
        now = time.monotonic()
        everything = due.objects is None or self.snapshot is None or now >= self._next_resync
        if everything:
            self._next_resync = now + self.settings.resync_s * random.uniform(0.9, 1.1)  # noqa: S311
        if everything or due.objects or not self.snapshot:
            self.snapshot = line.observe(None if everything else due.objects)
        with self._lock:
            self._busy -= finished
        self._reconnected()
        if self.desired is None:
            self._tell(line, None)
            return
        self._suspended = line.ledger.suspended()
        plan = line.compare(self.desired, self.snapshot, self._suspended)
        self.plan = plan
        self._apply(line, plan, stop)
        self._tell(line, plan)
        with self._lock:
            idle = not self._busy
        if idle and not self.ready.is_set() and not stop.is_set():
            self.ready.set()  # also what ran beside the loop is through: the host is as far as one pass gets it
            log.info("ready at %s", self.desired.revision)

    def _read_source(self, line: Line) -> None:
        """A source that can't be read leaves the last good revision in force."""
        try:
            before = self.desired
            self.desired = line.desired()
        except SourceError as error:
            if str(error) != self._source_problem:
                log.error("the last good revision stays in force: %s", error)  # noqa: TRY400
            self._source_problem = str(error)
            return
        self._source_problem = ""
        if before is None or before.revision != self.desired.revision:
            log.info("revision %s: %d objects declared", self.desired.revision, len(self.desired.resources))
            for problem in self.desired.problems:
                log.error("%s", problem)

    def _apply(self, line: Line, plan: Plan, stop: threading.Event) -> None:
        """Quick groups here and now, slow ones beside the loop; objects that back off are left for later."""
        with self._lock:
            held = {step.ref for step in plan.steps if not self._backoff.due(step.ref, _digest(self.desired, step.ref))}
            held |= self._busy
        for part in groups(plan, held):
            if takes_long(part):
                refs = {step.ref for step in part.steps}
                with self._lock:
                    self._busy |= refs
                self._beside.submit(self._apply_beside, line, part, stop, refs)
            else:
                self._applied(line.apply(part, stop=stop))

    def _apply_beside(self, line: Line, part: Plan, stop: threading.Event, refs: set[Ref]) -> None:
        outcomes: tuple[StepOutcome, ...] = ()
        try:
            outcomes = line.apply(part, stop=stop)
        except OnggiError as error:
            log.error("%s", error)  # noqa: TRY400
        finally:
            self._applied(outcomes)
            with self._lock:
                self._finished |= refs
            self.wakeup.nudge()

    def _applied(self, outcomes: tuple[StepOutcome, ...]) -> None:
        """Look again at whatever was touched: the next pass has to find it at rest."""
        for outcome in outcomes:
            step = outcome.step
            with self._lock:
                self._outcomes[step.ref] = outcome
                if outcome.result is Result.FAILED:
                    self._backoff.failed(step.ref, _digest(self.desired, step.ref), outcome.retry_after_s)
                elif outcome.result is not Result.SKIPPED and self._repeats.goes_on(step, time.monotonic()):
                    log.warning("%s keeps coming back as it was: is something else changing it?", step.ref)
                    self._backoff.failed(step.ref, _digest(self.desired, step.ref), 0.0)
                elif outcome.result is not Result.SKIPPED:
                    self._backoff.succeeded(step.ref)
            if outcome.result is Result.FAILED:
                log.error("%s %s: %s", step.action, step.ref, outcome.message)
            elif outcome.result is not Result.SKIPPED:
                log.info("%s %s: %s (%s)", step.action, step.ref, outcome.result, step.why)
            if outcome.result is not Result.SKIPPED:
                self.wakeup.object(step.ref)

    def _tell(self, line: Line, plan: Plan | None) -> None:
        """Write down what `onggi status` and the API report."""
        if self.desired is not None and plan is not None and self.snapshot is not None:
            with self._lock:
                outcomes = tuple(self._outcomes.values())
            found = conditions(
                self.desired, self.snapshot, plan, outcomes, suspended=self._suspended, backoff=self._backoff
            )
            states = {ref: seen.state for ref in found if (seen := self.snapshot.get(ref)) is not None}
            line.ledger.set_conditions(found, str(self.desired.revision), states)
        line.ledger.set_agent_info(
            connect=self.settings.connect,
            connected=line.hypervisor.connected,
            revision=str(self.desired.revision) if self.desired is not None else "",
            source_problem=self._source_problem,
        )

    def _again(self, stop: threading.Event) -> None:
        """A pass that was cut short has used up its marks: look at everything once more, after a breath."""
        self.wakeup.source()
        self.wakeup.object(None)
        stop.wait(1.0)

    def _poll(self, line: Line, stop: threading.Event) -> None:
        """Ask a remote for news at intervals with jitter; many agents on one server must not ask in step."""

        def pause_s() -> float:
            return self.settings.interval_s * random.uniform(0.8, 1.2)  # noqa: S311

        while line.source.is_remote and not stop.wait(pause_s()):
            try:
                if line.source.fetch():
                    self.wakeup.source()
            except OnggiError as error:
                log.warning("%s", error)

    def _notice_suspensions(self, line: Line, stop: threading.Event) -> None:
        """`onggi suspend` and `resume` write from another process; a file that changes is all there is to notice."""
        while not stop.wait(_SUSPENSIONS_S):
            try:
                now = line.ledger.suspended()
            except OnggiError as error:  # the loop meets it too, and tells of it
                log.debug("%s", error)
                continue
            if now != self._suspended:
                self.wakeup.nudge()

    def _disconnected(self, line: Line, error: Disconnected, stop: threading.Event) -> None:
        self._reconnect_s = min(max(self._reconnect_s * 2, 0.5), _RECONNECT_MAX_S)
        log.warning("%s Trying again in %.1f s.", error, self._reconnect_s)
        self._tell(line, None)
        self.wakeup.object(None)
        stop.wait(self._reconnect_s * random.uniform(0.8, 1.2))  # noqa: S311

    def _reconnected(self) -> None:
        if self._reconnect_s:
            log.info("connected to %s again", self.settings.connect)
        self._reconnect_s = 0.0

    def _sleep_s(self) -> float:
        until = self._next_resync - time.monotonic()
        with self._lock:
            retry = self._backoff.next_due()
        return min(until, retry) if retry is not None else until


def _digest(desired: DesiredState | None, ref: Ref) -> str:
    resource = desired.resources.get(ref) if desired is not None else None
    return resource.digest if resource is not None else ""
