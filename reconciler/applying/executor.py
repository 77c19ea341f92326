"""Makes a plan come true: each step as soon as what it comes after has succeeded, independent ones at once.

A failing step stops only what depends on it. Before a volume is made its name is written down, and before anything may
use it that it is whole and ours, so that a process killed at any point leaves nothing half-made that looks whole and
nothing of ours that looks foreign. How a step is performed is in `performing`, who waits for whom in `graph`, and
who works in `scheduler`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace

from reconciler.applying.graph import Graph
from reconciler.applying.performing import STOPPING, Performed, Performer, Progress, perform
from reconciler.applying.scheduler import Queue, Scheduler, Task
from reconciler.errors import OnggiError, StateError
from reconciler.faults import boundary
from reconciler.ledger.group_commit import GroupCommit
from reconciler.ledger.ledger import Ledger
from reconciler.planning.one_off import CloneVolume, CreateSnapshot, DeleteSnapshot, RevertSnapshot, WipeVolume
from reconciler.planning.operations import CreateVolume, DeleteVolume, GrowVolume, RenameVolume, Start, Stop
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Action, Plan, Step
from reconciler.status.outcome import Result, StepOutcome
from specs.reference import Ref

__all__ = ["Executor", "Performer", "Progress"]

log = logging.getLogger("onggi.apply")

# Facts that tell what was applied; before it was, only these are left out of what the ledger holds.
_APPLIED = frozenset({Fact.DIGEST.value, Fact.RUN_STRATEGY.value})

_SLOW = (Start, Stop, CreateSnapshot, RevertSnapshot, DeleteSnapshot, WipeVolume, CloneVolume)


class Executor:
    """Applies plans on one host. Several threads may apply at once: they share the workers, and one pool's volumes wait
    for each other across plans.
    """

    def __init__(self, hypervisor: Performer, ledger: Ledger, *, quick_workers: int = 4, slow_workers: int = 4) -> None:
        self._hypervisor = hypervisor
        self._ledger = ledger
        self._commits = GroupCommit(ledger)
        self._scheduler = Scheduler(
            {Queue.QUICK: quick_workers, Queue.SLOW: slow_workers, Queue.FETCHING: slow_workers}
        )

    def apply(
        self, plan: Plan, *, stop: threading.Event, on_progress: Callable[[Progress], None] | None = None
    ) -> tuple[StepOutcome, ...]:
        """Do what the plan says and tell how each step ended, in the plan's order. Blocks until all of them have.

        Once `stop` is set no step begins, and running ones end soon. `on_progress` is called from worker threads.
        Raises StateError, before anything was done, when the ledger can't be written; a step's failure is its outcome.
        """
        if plan.empty:
            return ()
        run = _Run(plan, self._hypervisor, self._ledger, self._commits, self._scheduler, stop, on_progress)
        run.start()
        run.finished.wait()
        return tuple(run.graph.outcomes[step.ref] for step in plan.steps)


class _Run:
    """One plan under way. Its lock guards the graph and the counters; nothing slow happens under it."""

    def __init__(
        self,
        plan: Plan,
        hypervisor: Performer,
        ledger: Ledger,
        commits: GroupCommit,
        scheduler: Scheduler,
        stop: threading.Event,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self.graph = Graph(plan.steps)
        self.finished = threading.Event()
        self._revision = plan.revision
        self._hypervisor = hypervisor
        self._ledger = ledger
        self._commits = commits
        self._scheduler = scheduler
        self._stop = stop
        self._on_progress = on_progress
        self._lock = threading.Lock()
        self._abort = ""  # why no further step begins
        self._quick_ready = 0  # quick steps that wait for a worker
        self._volume_steps = frozenset(step.ref for step in plan.steps if _touches_volume(step))
        self._volumes_left = len(self._volume_steps)
        self._to_settle = False  # a volume operation was performed since the host was last told to settle
        self._begun: set[Ref] = set()  # volumes of which the ledger knows that we are making them
        self._new_pools: set[Ref] = set()  # in which some are to be made
        self._working = 1  # threads that still have something to do for this run; the first is the caller's

    def start(self) -> None:
        """Write down what is about to be made, and let the first steps go. Raises StateError."""
        steps = self.graph.steps.values()
        for ref in (ref for step in steps for ref in _volumes_planned(step)):
            # A new pool may have a folder full of volumes, which nobody has seen yet.
            new = [holder for holder in ref.holders if holder in self.graph.steps]
            self._new_pools.update(new)
            if not new:
                self._begun.add(ref)
        boundary("between plan and apply")
        self._ledger.change(
            begin=self._begun,
            own=[_provisional(step.owned) for step in steps if step.owned is not None and _is_named_before(step)],
            steps=[step for step in steps if self._begun.issuperset(_volumes_made(step))],
            note=self._revision,
        )
        with self._lock:
            ready, skipped = self.graph.begin()
        self._go_on(ready, skipped)

    def _work(self, step: Step, slow: bool) -> None:
        with self._lock:
            self._working += 1
            self._quick_ready -= not slow
            reason = self._abort or (STOPPING if self._stop.is_set() else "")
        if reason:
            performed = Performed(StepOutcome(step, Result.SKIPPED, reason))
        else:
            performed = self._begin_for_client(step) or perform(
                step, self._hypervisor, stop=self._stop, tell=self._tell
            )
        outcome = self._write_down(performed)
        with self._lock:
            if performed.disconnected:
                self._abort = self._abort or f"the host can't be reached: {performed.disconnected}"
            if step.ref in self._volume_steps:
                self._to_settle |= not reason
                self._volumes_left -= 1
            ready, skipped = self.graph.ended(outcome)
        self._tell(Progress(step, outcome=outcome))
        self._go_on(ready, skipped, slow=slow)

    def _go_on(self, ready: Iterable[Step], skipped: Iterable[StepOutcome], *, slow: bool = False) -> None:
        """Hand on what may run, and end what may not; settle after the last volume, finish after the last step."""
        tasks = [self._task(step) for step in ready]
        for outcome in skipped:
            self._write_down(Performed(outcome))
            self._tell(Progress(outcome.step, outcome=outcome))
        with self._lock:
            self._quick_ready += sum(task.queue is Queue.QUICK for task in tasks)
            self._volumes_left -= sum(outcome.step.ref in self._volume_steps for outcome in skipped)
            settle = self._to_settle and not self._volumes_left
            self._to_settle &= not settle
            write = slow or not self._quick_ready
        if tasks:
            self._scheduler.submit(tasks, leaving=not settle)
        if settle:
            self._settle()
        if write:
            self._flush()
        with self._lock:
            self._working -= 1
            over = self.graph.finished and not self._working
        if over:
            self.finished.set()

    def _task(self, step: Step) -> Task:
        queue = _queue(step)
        slow = queue is not Queue.QUICK
        if _is_urgent(step):
            return Task(lambda: self._work(step, slow), frozenset(), queue)
        locks = {str(step.ref)}
        locks.update(str(operation.source) for operation in step.operations if isinstance(operation, CloneVolume))
        # Minutes of a download or a copy must not keep others out of the pool; libvirt doesn't either.
        if step.ref in self._volume_steps and not (_downloads(step) or _copies(step)):
            locks.update(f"pool {operation.ref.pool}" for operation in step.operations if _is_of_volume(operation))
        return Task(lambda: self._work(step, slow), frozenset(locks), queue)

    # The ledger

    def _write_down(self, performed: Performed) -> StepOutcome:
        """Note what a step's end means for the ledger.

        A volume that others wait for is written down before they may use it, or counts as failed: a later start would
        take it for half-made, whatever a guest has put into it.
        """
        outcome = performed.outcome
        step, ok = outcome.step, outcome.result not in (Result.FAILED, Result.SKIPPED)
        # A machine that was defined and couldn't be started has been created all the same.
        untold = performed.disconnected or (performed.partly and step.action is Action.CREATE)
        if performed.unknown or untold:
            self._ledger.intents.give_up(performed.unknown)
            self._ledger.history.lose([step.ref] if untold else ())
        if ok and step.ref in self._new_pools and step.action is not Action.DELETE:
            try:
                self._begin_volumes_of(step.ref)
            except OnggiError as error:
                return self._spoilt(outcome, error)
        own: list[Owned] = []
        if step.owned is not None and step.action is not Action.DELETE and (ok or performed.made):
            own.append(step.owned if ok else _provisional(step.owned))
        # A name that a volume couldn't get is somebody else's, or will be.
        gone = (ok and step.action is Action.DELETE) or (not ok and not untold and _renames_volume(step))
        full = self._commits.note(
            own=own,
            disown=[step.ref] if gone else (),
            finish=[
                ref
                for ref in _volumes_made(step)
                if ref in self._begun and ref not in performed.unknown and not (ok and _task_of(step) is not None)
            ],
        )
        if performed.made and self.graph.has_followers(step.ref):
            try:
                self._commits.write()
            except StateError as error:
                return self._spoilt(outcome, error)
        elif full:
            self._flush()
        return outcome

    def _spoilt(self, outcome: StepOutcome, error: OnggiError) -> StepOutcome:
        """What was done counts as failed: others mustn't build on what couldn't be written down."""
        self._ledger.history.lose([outcome.step.ref])
        return replace(outcome, result=Result.FAILED, message=str(error), error=error)

    def _begin_volumes_of(self, pool: Ref) -> None:
        """Write down what is about to be made in a pool that was there for nobody until now.

        Not what lies there already: a start after a kill would take that for half-made. Raises OnggiError.
        """
        all_steps = self.graph.steps.values()
        steps = {ref: step for step in all_steps for ref in _volumes_planned(step) if pool in ref.holders}
        wanted = steps.keys() - self._begun
        if wanted:
            wanted -= self._hypervisor.present(wanted)
            self._ledger.change(begin=wanted, steps=[steps[ref] for ref in wanted], note=self._revision)
            self._begun |= wanted

    def _begin_for_client(self, step: Step) -> Performed | None:
        """Write down the volume that is about to be made for a client; its end when that can't be done.

        Its name comes from a person, not from a plan that has looked: not one that is there already, which a start
        after a kill would take for half-made.
        """
        wanted = frozenset(_volumes_made(step)).difference(_volumes_planned(step))
        if not wanted:
            return None
        try:
            wanted -= self._hypervisor.present(wanted)
            task = _task_of(step) or 0
            self._ledger.change(begin=wanted, steps=[step] if wanted else (), note=self._revision, task=task)
        except OnggiError as error:
            return Performed(StepOutcome(step, Result.FAILED, str(error), error=error))
        self._begun |= wanted
        return None

    def _flush(self) -> None:
        try:
            self._commits.write()
        except StateError as error:
            log.error("%s", error)  # noqa: TRY400  # a sentence for the operator; the trace says nothing more

    # The world outside

    def _settle(self) -> None:
        boundary("before new volumes are shown")
        try:
            self._hypervisor.settle()
        except OnggiError as error:
            log.warning("volumes were made, but the host doesn't show all of them yet: %s", error)
        except Exception:
            log.exception("volumes were made, but looking at them again ended unexpectedly")

    def _tell(self, progress: Progress) -> None:
        if self._on_progress is None:
            return
        try:
            self._on_progress(progress)
        except Exception:
            log.exception("the display of progress failed; the work goes on")


def _is_of_volume(operation: object) -> bool:
    return isinstance(operation, CreateVolume | CloneVolume | GrowVolume | DeleteVolume | RenameVolume)


def _touches_volume(step: Step) -> bool:
    return any(map(_is_of_volume, step.operations))


def _downloads(step: Step) -> bool:
    return any(isinstance(operation, CreateVolume) and operation.url for operation in step.operations)


def _copies(step: Step) -> bool:
    return any(isinstance(operation, CloneVolume) for operation in step.operations)


def _task_of(step: Step) -> int | None:
    """The task of which the new volume is a part, and which says when all is there; None for a volume by itself."""
    found = (each.part_of for each in step.operations if isinstance(each, CreateVolume | CloneVolume))
    return next((number for number in found if number is not None), None)


def _queue(step: Step) -> Queue:
    """What waits for a guest or much data must not hold up what takes milliseconds, nor a server either of them."""
    if _downloads(step):
        return Queue.FETCHING
    return Queue.SLOW if any(isinstance(operation, _SLOW) for operation in step.operations) else Queue.QUICK


def _is_urgent(step: Step) -> bool:
    """Doesn't wait for another step of its object."""
    return any(getattr(operation, "urgent", False) for operation in step.operations)


def _volumes_planned(step: Step) -> list[Ref]:
    return [each.ref for each in step.operations if isinstance(each, CreateVolume) and each.part_of is None]


def _volumes_made(step: Step) -> list[Ref]:
    return [operation.ref for operation in step.operations if isinstance(operation, CreateVolume | CloneVolume)]


def _is_named_before(step: Step) -> bool:
    """A new object is ours from before it exists: a UUID that a document chose proves nothing by itself. So is a volume
    under its new name, by which nothing else would know that we made it.
    """
    return (step.action is Action.CREATE and step.owned is not None and bool(step.owned.uid)) or _renames_volume(step)


def _renames_volume(step: Step) -> bool:
    return any(isinstance(operation, RenameVolume) for operation in step.operations)


def _provisional(entry: Owned) -> Owned:
    """Ours, but not yet applied: the next pass goes on where this one was cut off."""
    return replace(entry, facts={key: value for key, value in entry.facts.items() if key not in _APPLIED})
