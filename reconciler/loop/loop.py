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
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.bulkhead import described
from reconciler.clock import Clock
from reconciler.errors import Disconnected, OnggiError
from reconciler.forges.address import forge_address
from reconciler.hypervisor.storagepool.watched_folders import PoolFolders
from reconciler.ledger.decision_store import AGENT
from reconciler.line.line import Line
from reconciler.loop.decisions import Decisions
from reconciler.loop.dispatcher import Dispatcher
from reconciler.loop.followed import FollowedSource
from reconciler.loop.host_observer import HostObserver
from reconciler.loop.notifier import Notifier
from reconciler.loop.passes import Passes, World
from reconciler.loop.silence import watch_silence
from reconciler.loop.source_poller import SourcePoller
from reconciler.loop.status_writer import StatusWriter
from reconciler.loop.unread_seeds import UnreadSeeds
from reconciler.loop.work_queue import WorkQueue
from reconciler.reporting.metrics import Tally
from reconciler.settings.settings import Settings
from reconciler.settings.windows import WindowClock
from reconciler.source.watch import watching
from reconciler.status.drift import Drift
from reconciler.status.one_pass import Pass
from specs.reference import Ref

if TYPE_CHECKING:
    from reconciler.forges.reports import ForgeReports

log = logging.getLogger("onggi.agent")


class Loop:
    """What goes round one opened line, in the thread that calls `run`. Any thread may read what the last pass found."""

    def __init__(
        self,
        settings: Settings,
        line: Line,
        *,
        queue: WorkQueue,
        passes: Passes,
        tally: Tally,
        ready: threading.Event,
        stop: threading.Event,
        now: Clock,
    ) -> None:
        """`ready` is set once the first pass is through. Raises SettingsError."""
        self.latest: Pass | None = None  # as it was planned
        self._line = line
        self._queue = queue
        self._passes = passes
        self._tally = tally
        self._ready = ready
        self._stop = stop
        self._notifier = Notifier(line.ledger, line.source)
        self.followed = FollowedSource(line, self._notifier)
        self.host = HostObserver(settings, line)
        self.poller = SourcePoller(line.source, queue.source_changed, settings.interval_s, nudge=queue.wake)
        self.folders = PoolFolders(
            settings.connect,
            snapshot=lambda: self.host.snapshot,
            outdated=line.hypervisor.outdated,
            changed=queue.changed,
        )
        self.reports = self._forge_reports(settings)
        self._status = StatusWriter(settings, line, self.followed, self._notifier, passes)
        self._dispatcher = Dispatcher(line, queue, stop, tally)
        self._decisions = Decisions(line.ledger, queue.wake)
        self._windows = WindowClock(settings.sync_windows, now)
        self._seeds = UnreadSeeds(line.hypervisor.machine_statistics)
        self._unread: Mapping[Ref, str] = {}  # machines whose guests never looked at their seeds, as far as known
        self._closed = ""  # why nothing is applied now
        self._drift: tuple[Drift, ...] = ()  # what the last pass found
        self._noted: frozenset[str] = frozenset()  # what its plan noted
        self._first_sequence: int | None = None  # a pass that took it has seen what the first one touched
        self._recovered = False  # since the connection was made: what an earlier run left half-made is gone

    def _forge_reports(self, settings: Settings) -> ForgeReports | None:
        """None when the settings name no forge, and nothing of forges is loaded then. Raises SettingsError."""
        if forge_address(settings) is None:
            return None
        from reconciler.forges.reports import ForgeReports

        return ForgeReports.open(settings, self._line.rehearse, lambda: self.latest)

    def run(self) -> None:
        """Go round until `stop` is set."""
        with ExitStack() as ending:
            ending.callback(self._dispatcher.close)
            if self.reports is not None:
                ending.callback(self.reports.close)
            ending.callback(self.poller.now)  # ends its wait
            ending.callback(self.folders.close)
            self._everything_is_due()
            self._line.hypervisor.subscribe(self._queue.changed)
            watch = watching(self._line.source, self._queue.source_changed)
            ending.callback(watch.stop)
            ending.callback(self._passes.end)
            watch.start()
            if self.reports is not None:
                self.reports.start()
            self._beside("poller", self.poller.run)
            self._beside("decisions", self._decisions.watch)
            self._beside("silence", lambda stop: watch_silence(self._line, stop))
            while not self._stop.is_set():
                self._turn()
                self._queue.wait(self._sleep_s())

    def _beside(self, name: str, watch: Callable[[threading.Event], None]) -> None:
        threading.Thread(target=watch, args=(self._stop,), name=f"onggi-{name}", daemon=True).start()

    def _turn(self) -> None:
        """One pass, and whatever may go wrong with it: nothing ends the loop but `stop`."""
        try:
            try:
                if not self._recovered:
                    self._recovered = self._line.recovery.recover()
                began = time.monotonic()
                self.go()
                self._tally.passed(time.monotonic() - began)
            except Disconnected as error:
                self._disconnected(error)
        except OnggiError as error:
            if str(error) != self._passes.problem:
                log.error("%s", error)  # noqa: TRY400  # a sentence; the trace says no more
            self._passes.fail(error)
            if self.followed.desired is None and self._line.source.problem:
                with suppress(OnggiError):  # of a state that can't be written the next pass tells, too
                    self._tell()
            self._again()
        except Exception as error:  # the last net: what is about one object alone is caught where it happens
            self._failed(error)
            self._again()

    def go(self) -> None:
        """One pass. Raises OnggiError."""
        finished = self._dispatcher.finished()
        due = self._queue.take()  # after `finished`: its objects were marked before
        if due.source or self.followed.desired is None:
            self.followed.read()
        desired, gone = self.followed.desired, frozenset[Ref]()
        if desired is not None and not self.followed.problem:
            gone = self._line.remove_uncommitted(desired)
        # Asked before the host is: what ends meanwhile is applied, and not yet seen.
        moving = self._line.ledger.history.working()
        snapshot = self.host.look(due.objects, gone)
        self.folders.follow(snapshot)
        self._dispatcher.looked_at(finished)
        if desired is None:
            self._tell()
            return
        self._decisions.go_by()
        planned = self._line.compare(desired, snapshot, moving | self._dispatcher.busy)
        self.latest = now = replace(planned, sequence=due.sequence)
        self._note(now)
        if self.reports is not None:
            self.reports.planned(now)
        if self._may_apply():
            self._dispatcher.dispatch(now)
        if self._first_sequence is None:
            self._first_sequence = self._queue.sequence
        world = self._tell(through=True)
        if self.reports is not None and world is not None:
            self.reports.passed(world)
        if not self._ready.is_set() and self._dispatcher.idle and now.sequence >= self._first_sequence:
            self._begin(now)

    def _note(self, now: Pass) -> None:
        """Remember what was planned, and tell what a plan says of nothing in particular when it begins."""
        for note in now.plan.notes:
            if note not in self._noted:
                log.warning("%s", note)
        self._noted = frozenset(now.plan.notes)
        # At the first pass nobody knows of a change that is going on; what is found was changed while nobody looked.
        resting = self._dispatcher.rest(now) if self._ready.is_set() else frozenset()
        self._drift = self._line.note_drift(replace(now, busy=now.busy | resting))
        self._line.note_approvals(now.plan, AGENT)

    def _begin(self, now: Pass) -> None:
        """The first pass is through, also what ran of it beside the loop, and clients can see all of it."""
        # What it made stays for good; a collection that walks through it costs up to 50 ms each time.
        gc.collect()
        gc.freeze()
        self._ready.set()
        summary = self._notifier.summary()
        log.info("ready at %s%s", now.desired.revision, f"; {summary}" if summary else "")

    def _may_apply(self) -> bool:
        """False while a sync window keeps the host as it is: everything is read, planned and told, and nothing done."""
        closed = self._windows.state().reason
        if closed != self._closed:
            log.info("%s", closed or "changes are applied again")
        self._closed = closed
        return not closed

    def _tell(self, *, through: bool = False) -> World | None:
        """Tell of the last plan and what has come of it, with what is in force and seen by now: that may be newer."""
        owned = self._line.ledger.ownership.all()
        source = self.followed.state(owns=bool(owned))
        world, desired, snapshot = None, self.followed.desired, self.host.snapshot
        if self.latest is not None and desired is not None and snapshot is not None:
            now = replace(
                self._dispatcher.add_to(self.latest),
                desired=desired,
                snapshot=snapshot,
                owned=owned,
                unread_seeds=self._unread_seeds(snapshot.connected),
                closed=self._closed,
                source_problem=self.followed.problem,
            )
            world = World.of(now, self._drift)
        self._status.write(world, source, settled=not self._dispatcher.moving, through=through)
        return world

    def _unread_seeds(self, connected: bool) -> Mapping[Ref, str]:
        """What to tell of guests that never looked at their seeds; as last time where the host doesn't say."""
        desired, snapshot = self.followed.desired, self.host.snapshot
        if connected and desired is not None and snapshot is not None:
            with suppress(OnggiError):  # the next pass asks again; that a host doesn't answer is told by others
                self._unread = self._seeds.look(desired, snapshot, time.monotonic())
        return self._unread

    def _failed(self, error: Exception) -> None:
        """Tell of a pass that nobody can explain, with its trace once."""
        name, place = described(error)
        problem = OnggiError(f"a pass failed unexpectedly ({name} at {place}); its trace is in the log")
        if str(problem) != self._passes.problem:
            log.error("%s", problem, exc_info=error)
        self._passes.fail(problem)

    def _disconnected(self, error: Disconnected) -> None:
        self._recovered = False  # what libvirtd took down with it may be half made
        again_s = self.host.lost()
        self._everything_is_due()
        snapshot, shown = self.host.snapshot, self._passes.latest
        if shown is not None and snapshot is not None and shown.snapshot.connected:
            self._passes.publish(replace(shown, snapshot=snapshot))  # still served, and marked as old
        self._tell()
        self._passes.fail(error)
        log.warning("%s Trying again in %.1f s.", error, again_s)
        self._stop.wait(again_s * random.uniform(0.8, 1.2))  # noqa: S311

    def _everything_is_due(self) -> None:
        self._queue.source_changed()
        self._queue.changed(None)

    def _again(self) -> None:
        """A pass that was cut short has used up its marks: look at everything once more, after a breath."""
        self._everything_is_due()
        self._stop.wait(1.0)

    def _sleep_s(self) -> float:
        retry = None if self._closed else self._dispatcher.next_due_s()
        unread = self._seeds.due_s(time.monotonic())
        due = (self.host.due_s(), retry, unread, self._dispatcher.rested_in_s(), self._windows.due_s())
        return min(each for each in due if each is not None)
