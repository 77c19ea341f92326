"""The loop, read aloud: wake up, read what was declared, look at the host, plan, apply, tell. Again.

Events and commits only say where to look; what is true is read from the world each time, and an empty plan is the proof
of rest.
"""

from __future__ import annotations

import gc
import logging
import random
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from reconciler.bulkhead import described
from reconciler.clock import Clock, utc_now
from reconciler.desired.state import DesiredState
from reconciler.errors import Disconnected, OnggiError, SourceError, Transient
from reconciler.forges.proposals import World as ProposalWorld
from reconciler.forges.reports import ForgeReports
from reconciler.hypervisor.storagepool.watched_folders import PoolFolders
from reconciler.ledger.approval_book import AGENT
from reconciler.line.line import Line
from reconciler.loop.dispatcher import Dispatcher
from reconciler.loop.fetching import Fetching
from reconciler.loop.noticing import Noticing
from reconciler.loop.passes import Passes, World
from reconciler.loop.unread_seeds import UnreadSeeds
from reconciler.loop.wakeup import Wakeup
from reconciler.observed.snapshot import Snapshot
from reconciler.planning.ownership import Owned
from reconciler.planning.plan import Plan
from reconciler.reporting.metrics import Tally
from reconciler.settings.settings import Settings
from reconciler.settings.windows import WindowClock
from reconciler.source.verification import Unverified
from reconciler.source.watch import watching
from reconciler.status.condition import Condition
from reconciler.status.drift import Drift
from reconciler.status.source_state import SourceState, source_state
from reconciler.status.status import conditions
from specs.reference import Ref

log = logging.getLogger("onggi.agent")

_RECONNECT_MAX_S = 10.0
_DECISIONS_S = 0.5
_PATIENCE_S = 60.0  # with a call to libvirt that usually takes milliseconds


class Agent:
    """Keeps one host as one repository says. `run` blocks until `stop` is set; all else may be read meanwhile."""

    def __init__(self, settings: Settings, now: Clock = utc_now) -> None:
        self.settings = settings
        self._windows = WindowClock(settings.sync_windows, now)
        self._closed = ""  # why nothing is applied now
        self.ready = threading.Event()  # the first pass is through, and the world shows everything that it did
        self.wakeup = Wakeup()
        self.passes = Passes()  # what each pass found, for who serves clients
        self.tally = Tally()  # likewise what was counted
        self.snapshot: Snapshot | None = None  # the last good one, served while the host can't be reached
        self.desired: DesiredState | None = None
        self.plan: Plan | None = None
        self._line: Line | None = None
        self._fetching: Fetching | None = None
        self._noticing: Noticing | None = None
        self._folders: PoolFolders | None = None
        self._reports: ForgeReports | None = None
        self._first_ticket: int | None = None  # a pass that took it has seen what the first one touched
        self._recovered = False  # since the connection was made: what an earlier run left half-made is gone
        self._suspended: frozenset[Ref] = frozenset()  # as the last pass saw it
        self._suspensions: Mapping[Ref, object] = {}  # likewise, with who said so and why
        self._approved: frozenset[str] = frozenset()  # likewise
        self._drift: tuple[Drift, ...] = ()  # what the last pass found
        self._seeds: UnreadSeeds | None = None
        self._unread: Mapping[Ref, str] = {}
        self._noted: frozenset[str] = frozenset()  # what its plan noted
        self._source_problem = ""
        self._unanswered = ""  # what libvirt has been asked for so long that something must hang
        self._untrusted = False  # that problem is a head that isn't signed as it has to be
        self._reconnect_s = 0.0
        self._next_resync = 0.0

    @property
    def line(self) -> Line:
        """What joins the source and the host. Raises Transient before the loop has opened it."""
        if self._line is None:
            raise Transient("The agent is only just starting; try again in a moment.")
        return self._line

    @property
    def folders(self) -> PoolFolders | None:
        """What tells of files in pools' folders; None before the loop has begun."""
        return self._folders

    def fetch_now(self) -> None:
        """There may be a new commit: ask soon. Returns at once; many calls make one question."""
        if self._fetching is not None:
            self._fetching.now()
        if self._reports is not None:
            self._reports.look()

    def interrupt(self) -> None:
        """Once `stop` is set: end at once what the loop waits for, a fetch from a silent server included."""
        self.wakeup.nudge()
        if self._line is not None:
            self._line.source.close()

    def run(self, stop: threading.Event) -> None:
        """Reconcile until `stop` is set. Raises StateError and SourceError when it can't even begin."""
        with Line.open(self.settings, exclusive=True) as line:
            self._line = line
            self._noticing = Noticing(line.ledger, line.source)
            self._fetching = Fetching(
                line.source, self.wakeup.source, self.settings.interval_s, nudge=self.wakeup.nudge
            )
            self._reports = ForgeReports.open(self.settings, line.rehearse, self._world)
            self._everything_is_due()
            line.hypervisor.subscribe(self.wakeup.object)
            self._folders = PoolFolders(
                self.settings.connect,
                snapshot=lambda: self.snapshot,
                outdated=line.hypervisor.outdated,
                changed=self.wakeup.object,
            )
            watch = watching(line.source, self.wakeup.source)
            watch.start()
            if self._reports is not None:
                self._reports.start()
            for watcher in (self._poll, self._notice_decisions, self._notice_silence):
                threading.Thread(
                    target=watcher, args=(line, stop), name=f"onggi{watcher.__name__}", daemon=True
                ).start()
            dispatcher = Dispatcher(line, self.wakeup, stop, self.tally)
            try:
                while not stop.is_set():
                    self._turn(line, dispatcher, stop)
                    self.wakeup.wait(self._sleep_s(dispatcher))
            finally:
                self.passes.end()
                watch.stop()
                self._folders.close()
                self._fetching.now()  # ends its wait
                if self._reports is not None:
                    self._reports.close()
                dispatcher.close()

    def _turn(self, line: Line, dispatcher: Dispatcher, stop: threading.Event) -> None:
        """One pass, and whatever may go wrong with it: nothing ends the loop but `stop`."""
        try:
            try:
                if not self._recovered:
                    self._recovered = line.recovery.recover()
                began = time.monotonic()
                self._pass(line, dispatcher)
                self.tally.passed(time.monotonic() - began)
            except Disconnected as error:
                self._disconnected(line, dispatcher, error, stop)
        except OnggiError as error:
            if str(error) != self.passes.problem:
                log.error("%s", error)  # noqa: TRY400  # a sentence; the trace says no more
            self.passes.fail(error)
            if self.desired is None and line.source.problem:
                with suppress(OnggiError):  # of a state that can't be written the next pass tells, too
                    self._tell(line, dispatcher, None)
            self._again(stop)
        except Exception as error:  # the last net: what is about one object alone is caught where it happens
            self._failed(error)
            self._again(stop)

    def _failed(self, error: Exception) -> None:
        """Tell of a pass that nobody can explain, with its trace once."""
        name, place = described(error)
        problem = OnggiError(f"a pass failed unexpectedly ({name} at {place}); its trace is in the log")
        if str(problem) != self.passes.problem:
            log.error("%s", problem, exc_info=error)
        self.passes.fail(problem)

    def _pass(self, line: Line, dispatcher: Dispatcher) -> None:
        finished = dispatcher.finished()
        due = self.wakeup.take()  # after `finished`: its objects were marked before
        if due.source or self.desired is None:
            self._read_source(line)
        now = time.monotonic()
        everything = due.objects is None or self.snapshot is None or now >= self._next_resync
        if everything:
            self._next_resync = now + self.settings.resync_s * random.uniform(0.9, 1.1)  # noqa: S311
        gone: frozenset[Ref] = frozenset()
        if self.desired is not None and not self._source_problem:
            gone = line.remove_uncommitted(self.desired)
        moving = line.ledger.working()  # asked before the host is: what ends meanwhile is applied, and not yet seen
        if everything or due.objects or gone or self.snapshot is None:
            self.snapshot = line.observe(None if everything or due.objects is None else due.objects | gone)
        if self._folders is not None:
            self._folders.follow(self.snapshot)
        dispatcher.looked_at(finished)
        self._connected()
        if self.desired is None:
            self._tell(line, dispatcher, None)
            return
        self._suspended, self._approved = line.ledger.suspended(), line.ledger.approved()
        self._suspensions = line.ledger.suspensions.suspensions()
        moving |= dispatcher.busy
        self.plan = line.compare(self.desired, self.snapshot, self._suspended, moving)
        self._tell_notes(self.plan.notes)
        # At the first pass nobody knows of a change that is going on; what is found was changed while nobody looked.
        resting = dispatcher.rest(self.plan, self.snapshot) if self.ready.is_set() else frozenset()
        self._drift = line.note_drift(self.plan, self.desired, self.snapshot, moving | resting)
        line.note_approvals(self.plan, AGENT)
        if self._reports is not None:
            self._reports.planned(self.desired, self.plan)
        if self._may_apply():
            dispatcher.dispatch(self.plan, self.plan.wish or self.desired)
        if self._first_ticket is None:
            self._first_ticket = self.wakeup.ticket
        self._tell(line, dispatcher, self.plan, due.ticket)
        if self._reports is not None:
            self._reports.passed(self.desired, self.plan, dispatcher.outcomes)
        if not self.ready.is_set() and dispatcher.idle and due.ticket >= self._first_ticket:
            # What the first pass made stays for good; a collection that walks through it costs up to 50 ms each time.
            gc.collect()
            gc.freeze()
            self.ready.set()  # also what ran beside the loop is through, and clients can see all of it
            summary = self._noticing.summary() if self._noticing is not None else ""
            log.info("ready at %s%s", self.desired.revision, f"; {summary}" if summary else "")

    def _tell_notes(self, notes: tuple[str, ...]) -> None:
        """What a plan says of nothing in particular is told when it begins."""
        for note in notes:
            if note not in self._noted:
                log.warning("%s", note)
        self._noted = frozenset(notes)

    def _read_source(self, line: Line) -> None:
        """A source that can't be read leaves the last good revision in force."""
        try:
            before = self.desired
            self.desired = line.desired()
        except SourceError as error:
            self._source_problem, self._untrusted = str(error), isinstance(error, Unverified)
            if self.desired is None:
                self.desired = line.last_good()
            return
        self._source_problem, self._untrusted = "", False
        if before is None or before.revision != self.desired.revision:
            log.info("revision %s: %d objects declared", self.desired.revision, len(self.desired.resources))
            if self._noticing is not None:
                self._noticing.followed(self.desired.revision)

    def _may_apply(self) -> bool:
        """False while a sync window keeps the host as it is: everything is read, planned and told, and nothing done."""
        closed = self._windows.state().reason
        if closed != self._closed:
            log.info("%s", closed or "changes are applied again")
        self._closed = closed
        return not closed

    def _tell(self, line: Line, dispatcher: Dispatcher, plan: Plan | None, ticket: int | None = None) -> None:
        """Write down what `onggi status` and the API report. `ticket` is the pass's, of one that is through."""
        found: Mapping[Ref, tuple[Condition, ...]] | None = None
        owned = line.ledger.owned()
        if self.desired is not None and plan is not None and self.snapshot is not None:
            found = conditions(
                plan.wish or self.desired,
                self.snapshot,
                plan,
                dispatcher.outcomes,
                self._suspended,
                dispatcher.backoff,
                self._drift,
                dispatcher.flapping,
                dispatcher.crash_loops,
                self._closed,
                owned,
                self._unread_seeds(line),
                self._suspensions,
            )
            states = {ref: seen.state for ref in found if (seen := self.snapshot.get(ref)) is not None}
            line.ledger.set_conditions(found, str(self.desired.revision), states)
        source = self._told(line, dispatcher, found, owned)
        if self.desired is not None and plan is not None and self.snapshot is not None and ticket is not None:
            self.passes.publish(
                World(
                    ticket=ticket,
                    desired=self.desired,
                    snapshot=self.snapshot,
                    plan=plan,
                    drift=self._drift,
                    conditions=found or {},
                    busy=dispatcher.busy,
                    owned=owned,
                    failing=dispatcher.failing,
                    resting=frozenset(dispatcher.crash_loops),
                    suspended=self._suspended,
                    closed=self._closed,
                    source_problem=self._source_problem,
                    source=source,
                )
            )
        line.ledger.set_agent_info(
            connect=self.settings.connect,
            listen=self.settings.listen,
            connected=line.hypervisor.connected,
            revision=str(self.desired.revision) if self.desired is not None else "",
            source=line.source.key,
            source_problem=source.message if source is not None else "",
            source_reason=source.reason if source is not None else "",
            source_since=source.since if source is not None else "",
            source_verified=self._verified(),
            outside_window=self._closed,
        )

    def _unread_seeds(self, line: Line) -> Mapping[Ref, str]:
        """What to tell of guests that never looked at their seeds; as last time where the host doesn't say."""
        if self._seeds is None:
            self._seeds = UnreadSeeds(line.hypervisor.machine_statistics)
        if self.desired is not None and self.snapshot is not None and self.snapshot.connected:
            with suppress(OnggiError):  # the next pass asks again; that a host doesn't answer is told by others
                self._unread = self._seeds.look(self.desired, self.snapshot, time.monotonic())
        return self._unread

    def _told(
        self,
        line: Line,
        dispatcher: Dispatcher,
        found: Mapping[Ref, tuple[Condition, ...]] | None,
        owned: Mapping[Ref, Owned],
    ) -> SourceState | None:
        """Tell of what begins and ends; gives how the source is."""
        state = source_state(
            self.desired,
            unreadable=self._source_problem,
            untrusted=self._untrusted,
            unanswered=line.source.problem,
            owns=bool(owned),
            rewritten=line.lineage.undecided,
        )
        connected = self.snapshot is not None and self.snapshot.connected
        if self._noticing is None:
            return state
        return self._noticing.tell(
            self.desired,
            found if connected else None,
            state,
            suspended=self._suspended,
            settled=not dispatcher.moving,
        )

    def _verified(self) -> str:
        """Whether the head is signed as it has to be; empty when it needn't be."""
        return "" if self.settings.require_signed == "no" else str(not self._untrusted).lower()

    def _everything_is_due(self) -> None:
        self.wakeup.source()
        self.wakeup.object(None)

    def _again(self, stop: threading.Event) -> None:
        """A pass that was cut short has used up its marks: look at everything once more, after a breath."""
        self._everything_is_due()
        stop.wait(1.0)

    def _disconnected(self, line: Line, dispatcher: Dispatcher, error: Disconnected, stop: threading.Event) -> None:
        self._recovered = False  # what libvirtd took down with it may be half made
        self._reconnect_s = min(max(self._reconnect_s * 2, 0.5), _RECONNECT_MAX_S)
        self._everything_is_due()
        if self.snapshot is not None and self.snapshot.connected:
            self.snapshot = replace(self.snapshot, connected=False)  # still served, and marked as old
            if (latest := self.passes.latest) is not None:
                self.passes.publish(replace(latest, snapshot=self.snapshot))
        self._tell(line, dispatcher, self.plan)
        self.passes.fail(error)
        log.warning("%s Trying again in %.1f s.", error, self._reconnect_s)
        stop.wait(self._reconnect_s * random.uniform(0.8, 1.2))  # noqa: S311

    def _connected(self) -> None:
        if self._reconnect_s:
            log.info("connected to %s again", self.settings.connect)
        self._reconnect_s = 0.0

    def _sleep_s(self, dispatcher: Dispatcher) -> float:
        until = self._next_resync - time.monotonic()
        retry = None if self._closed else dispatcher.next_due_s()
        unread = self._seeds.due_s(time.monotonic()) if self._seeds is not None else None
        due = (until, retry, unread, dispatcher.rested_in_s(), self._windows.due_s())
        return min(each for each in due if each is not None)

    def _poll(self, _line: Line, stop: threading.Event) -> None:
        if self._fetching is not None:
            self._fetching.run(stop)

    def _world(self) -> ProposalWorld | None:
        """What pull requests are planned against."""
        desired, snapshot = self.desired, self.snapshot
        return ProposalWorld(desired, snapshot) if desired is not None and snapshot is not None else None

    def _notice_decisions(self, line: Line, stop: threading.Event) -> None:
        """`onggi suspend`, `resume` and `approve` write from another process: a file that changes is all to notice."""
        while not stop.wait(_DECISIONS_S):
            try:
                now = line.ledger.suspensions.suspensions(), line.ledger.approved()
            except OnggiError as error:  # the loop meets it too, and tells of it
                log.debug("%s", error)
                continue
            if now != (self._suspensions, self._approved):
                self.wakeup.nudge()

    def _notice_silence(self, line: Line, stop: threading.Event) -> None:
        """The loop itself can't tell that it waits for a libvirt that has stopped to answer."""
        while not stop.wait(_DECISIONS_S):
            before, self._unanswered = self._unanswered, line.hypervisor.unanswered(_PATIENCE_S)
            if self._unanswered == before:
                continue
            if self._unanswered:
                log.warning("%s", self._unanswered)
            else:
                log.info("%s answers again", self.settings.connect)
            with suppress(OnggiError):  # the loop meets it too, and tells of it
                line.ledger.set_agent_info(passed=False, host_unanswered=self._unanswered)
