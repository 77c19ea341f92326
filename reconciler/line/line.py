"""One repository and one host, joined: read, observe, plan, apply. What the verbs and the agent are made of.

Each method is one arrow of the line; the values in between are finished and immutable.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

from reconciler.applying.progress_board import ProgressBoard
from reconciler.applying.recovery import Recovery
from reconciler.desired.load import Loader
from reconciler.desired.resolve import Resolver
from reconciler.desired.state import DesiredState
from reconciler.errors import StateError
from reconciler.hypervisor import Hypervisor
from reconciler.lazy import Lazy
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.lock import StateFolder
from reconciler.ledger.records import Origin
from reconciler.line.lineage import Lineage
from reconciler.line.secret_values import SecretValues
from reconciler.observed.snapshot import Snapshot
from reconciler.planning.groups import without
from reconciler.planning.plan import Plan, Step
from reconciler.planning.plan_options import PlanOptions
from reconciler.planning.planner import Planner
from reconciler.settings.reach import own_folders, reach_of
from reconciler.settings.settings import Settings
from reconciler.source.opening import open_source
from reconciler.source.source import Source
from reconciler.source.tree import SourceTree
from reconciler.status.one_pass import Pass
from reconciler.status.outcome import Result, StepOutcome, failed_for_good, last_of_each
from reconciler.status.suspension import suspended
from specs.reference import Ref

if TYPE_CHECKING:
    from reconciler.applying.executor import Executor, Progress
    from reconciler.line.convergence import Convergence
    from reconciler.status.drift import Drift

log = logging.getLogger("onggi.line")


class Line:
    """Use as a context manager: `with Line.open(settings, exclusive=False) as line: plan = line.plan()`."""

    def __init__(self, settings: Settings, folder: StateFolder, ledger: Ledger, source: Source) -> None:
        self.settings = settings
        self.ledger = ledger
        self.source = source
        self.lineage = Lineage(ledger, source)
        self.hypervisor = Hypervisor.open(
            settings.connect,
            allowed_folders=settings.allowed_folders,
            own_folders=own_folders(settings),
            reach=reach_of(settings),
            networks=settings.networks,
        )
        self._executor = Lazy(self._new_executor)
        self.recovery = Recovery(self.hypervisor, ledger)
        self.progress = ProgressBoard()  # of what `apply` does
        self._folder = folder
        self._loader = Loader()
        self._resolver = Resolver(allowed_folders=settings.allowed_folders)
        self._planner = Planner()
        self._values = SecretValues(reach_of(settings))
        self._snapshot: Snapshot | None = None
        self.ordered: frozenset[Ref] = frozenset()  # what clients have ordered by name to go
        self._touched: set[Ref] = set()  # volumes that steps have changed since the host was last looked at

    @classmethod
    def open(cls, settings: Settings, *, exclusive: bool) -> Line:
        """Open the state, the source and (at first use) the connection. `exclusive` refuses a second agent.

        Raises StateError, SourceError; the connection is made later and raises Disconnected.
        """
        folder = StateFolder.open(settings.state, exclusive=exclusive)
        try:
            ledger = Ledger.open(folder.path, readonly=not exclusive)
            source = open_source(
                settings.repository,
                branch=settings.branch,
                path=settings.path,
                state_dir=folder.path,
                signatures=settings.signatures,
                recording=exclusive,
                worktree=settings.worktree,
            )
        except BaseException:
            folder.close()
            raise
        return cls(settings, folder, ledger, source)

    def _new_executor(self) -> Executor:
        from reconciler.applying.executor import Executor

        return Executor(self.hypervisor, self.ledger)

    def prepare(self) -> None:
        """Load what acting needs, for who runs for long or waits for an answer before: below it, an upgrade may replace
        the files. Who only looks doesn't wait for that.
        """
        self._executor()
        self.hypervisor.prepare()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the host, the source and the state, in this order."""
        self.hypervisor.close()
        self.source.close()
        self.ledger.close()
        self._folder.close()

    def desired(self) -> DesiredState:
        """git revision → documents → validated desired state. Raises SourceError."""
        return self._resolved(self.source.read())

    def last_good(self) -> DesiredState | None:
        """What the last revision asked for that could be trusted, also in an earlier run; None without signatures."""
        tree = self.source.last_good()
        return self._resolved(tree) if tree is not None else None

    def _resolved(self, tree: SourceTree) -> DesiredState:
        tree, repository_id = self.lineage.named(tree)
        loaded = self._loader.load(tree)
        return self.lineage.judged(self._resolver.resolve(tree, loaded, repository_id))

    def observe(self, dirty: frozenset[Ref] | None = None) -> Snapshot:
        """What libvirt has: everything, or the last snapshot with only `dirty` read again. Raises Disconnected."""
        return self.recovery.look(lambda: self._look(dirty))

    def _look(self, dirty: frozenset[Ref] | None) -> Snapshot:
        before, touched = self._snapshot, self._touched.copy()
        if before is not None and dirty is None and touched:
            # A full reading carries a volume over for as long as it is listed; these are known to have moved.
            before = replace(before, objects={ref: seen for ref, seen in before.objects.items() if ref not in touched})
        self._snapshot = self.hypervisor.observe(before, dirty if before is not None else None)
        if dirty is None:
            self._touched -= touched
        return self._snapshot

    def compare(self, desired: DesiredState, snapshot: Snapshot, moving: frozenset[Ref] = frozenset()) -> Pass:
        """Desired × observed × remembered → a pass with its plan. Pure but for reading what the ledger remembers.

        `moving` is what steps beside the loop may have done something to since the host was looked at.
        """
        suspensions = self.ledger.decisions.suspensions()
        # Asked before what is owned: a step that ends now has its entry in that.
        working = self.ledger.history.working()
        owned = self.ledger.ownership.all()
        plan = self._planner.plan(
            desired,
            snapshot,
            owned,
            suspended(suspensions),
            replace(self._plan_options(self.hypervisor.take_rebooted(), moving), values=self._values(desired)),
            self.ledger.definitions.get,
        )
        if working and plan.records:
            # What is just being made shows on the host before the ledger says that we made it.
            plan = replace(plan, records=tuple(entry for entry in plan.records if entry.ref not in working))
        self.recovery.account(plan, snapshot)
        return Pass(desired, snapshot, plan, owned=owned, suspensions=suspensions, busy=moving)

    def _plan_options(self, rebooted: frozenset[Ref], moving: frozenset[Ref] = frozenset()) -> PlanOptions:
        held = self.hypervisor.refused_edits()
        migrated = self.hypervisor.migrated()
        return PlanOptions(
            now=time.time(),
            approved=self.ledger.decisions.approved(),
            trash_retention_s=self.settings.trash_retention_s,
            rebooted=rebooted,
            migrated=migrated,
            refused_edits=held,
            ordered=self.ordered,
            moving=moving,
        )

    def note_drift(self, now: Pass) -> tuple[Drift, ...]:
        """What of the plan is drift. Its records are kept: what is new, what goes on, what has ended by whose doing.

        Call it before `apply`. The plan's revision is the one that counts from now on, unless it has to be decided on
        first. Of what is busy the ledger says already that it is as declared, and how it differs in the snapshot is
        nobody's doing by hand.

        How all that is ours looks now is kept too, for the day on which some of it is gone.
        """
        from reconciler.ledger.drift_history import Noted
        from reconciler.status.drift import drift, still_different, unjudged

        found = tuple(item for item in drift(now) if item.ref not in now.busy)
        self.lineage.follow(now.wish, now.plan)
        self.ledger.drift.note(Noted(found, still_different(now.plan), unjudged(now), now.wish.digest_of))
        self.ledger.definitions.keep(now.snapshot.objects, self.ledger.ownership.all())
        return found

    def note_status(self, now: Pass, outcomes: Iterable[StepOutcome]) -> None:
        """Write down how everything is after a run without an agent, for `onggi status` and `get`."""
        from reconciler.line.noted_status import note_status
        from reconciler.status.drift import drift

        now = replace(now, outcomes=last_of_each(outcomes), owned=self.ledger.ownership.all())
        note_status(self.ledger, self.settings.connect, now, drift(now))

    def note_approvals(self, plan: Plan, by: str) -> None:
        """Remember what the plan waits for a person's word on, so that `onggi approve` knows it."""
        try:
            self.ledger.decisions.ask(plan, by)
        except StateError as error:
            log.debug("%s", error)  # who may only look may plan all the same; the agent tells of it anyway

    def rehearse(self, tree: SourceTree, snapshot: Snapshot) -> Pass:
        """What `tree` would come to if it were the source's. Safe beside a pass: shares no cache, writes nothing."""
        tree, repository_id = self.lineage.named(tree)
        resolver = Resolver(allowed_folders=self.settings.allowed_folders)
        desired = resolver.resolve(tree, Loader().load(tree), repository_id)
        options = self._plan_options(frozenset())  # news of a reboot is told once, and is for the pass that acts on it
        owned, suspensions = self.ledger.ownership.all(), self.ledger.decisions.suspensions()
        plan = Planner().plan(desired, snapshot, owned, suspended(suspensions), options, self.ledger.definitions.get)
        return Pass(desired, snapshot, plan, owned=owned, suspensions=suspensions)

    def look(self) -> Pass:
        """Read both sides and compare them."""
        return self.compare(self.desired(), self.observe())

    def plan(self) -> Plan:
        """The same, for who only wants to know what would be done."""
        return self.look().plan

    def apply(
        self,
        plan: Plan,
        *,
        stop: threading.Event | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> tuple[StepOutcome, ...]:
        """Do what the plan says. Never raises for a step: its outcome tells."""
        self._note(plan)
        if plan.empty:
            return ()

        def tell(progress: Progress) -> None:
            self.progress.note(progress)
            if on_progress is not None:
                on_progress(progress)

        outcomes = self._executor().apply(plan, stop=stop or threading.Event(), on_progress=tell)
        self.note_touched(outcomes)
        self.recovery.record(outcomes, plan.revision)
        return outcomes

    def perform(
        self,
        step: Step,
        *,
        revision: str,
        origin: Origin,
        stop: threading.Event,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> StepOutcome:
        """Do one step that is nobody's desired state, at a request. Never raises for the step: its outcome tells.

        It's begun at no revision: should it be cut off, no later plan can tell whether it was done.
        """
        outcomes = self._executor().apply(Plan(revision="", steps=(step,)), stop=stop, on_progress=on_progress)
        self.note_touched(outcomes)
        self.recovery.record(outcomes, revision, origin, leaving=frozenset({Result.FAILED, Result.SKIPPED}))
        return outcomes[0]

    def note_touched(self, outcomes: Iterable[StepOutcome]) -> None:
        """Volumes that these steps worked on are read anew with the next look at the host."""
        for outcome in outcomes:
            refs = (outcome.step.ref, *(operation.ref for operation in outcome.step.operations))
            self._touched.update(ref for ref in refs if ref.holders)

    def _note(self, plan: Plan) -> None:
        """Write down what the ledger has to hold, or to forget, although nothing is to be done on the host."""
        self.ledger.change(own=plan.records, disown=plan.forgotten)

    def converge(
        self,
        *,
        stop: threading.Event | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        passes: int = 5,
        given_up: frozenset[Ref] = frozenset(),
    ) -> Convergence:
        """Plan and apply until nothing is left to do, nothing more succeeds, or `passes` are through.

        More than one pass is needed where something only shows after another step, such as the LUNs of a new pool.
        What has failed for good is tried once: neither that nor what builds on it is begun again. `given_up` are
        objects that have done so before.
        """
        from reconciler.line.convergence import Convergence

        recovered = self.recovery.recover()
        desired = self.desired()
        first = now = self._compare_and_note(desired)
        outcomes: list[StepOutcome] = []
        for _ in range(passes):
            done = self.apply(without(now.plan, given_up), stop=stop, on_progress=on_progress)
            outcomes.extend(done)
            given_up |= failed_for_good(done)
            recovered = recovered or self.recovery.recover()  # a pool may only be active by now
            now = self._compare_and_note(desired)
            if now.plan.empty or (stop is not None and stop.is_set()) or not _any_success(done):
                break
        self._note(now.plan)
        self.note_status(now, outcomes)
        return Convergence(first.plan, tuple(outcomes), now)

    def _compare_and_note(self, desired: DesiredState) -> Pass:
        self.remove_uncommitted(desired)
        now = self.compare(desired, self.observe())
        self.note_drift(now)
        return now

    def remove_uncommitted(self, desired: DesiredState) -> frozenset[Ref]:
        """As Recovery.remove_uncommitted, by what the source says now."""
        return self.recovery.remove_uncommitted(
            str(desired.revision), partial(self.lineage.asks_for, desired), self._touched.add
        )


def _any_success(outcomes: tuple[StepOutcome, ...]) -> bool:
    return any(outcome.ok for outcome in outcomes)
