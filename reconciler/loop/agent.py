"""The agent as others see it: what it was told, what its last pass found, and how it is woken up and ended."""

from __future__ import annotations

import threading

from reconciler.clock import Clock, utc_now
from reconciler.desired.state import DesiredState
from reconciler.errors import Transient
from reconciler.hypervisor.storagepool.watched_folders import PoolFolders
from reconciler.line.line import Line
from reconciler.loop.loop import Loop
from reconciler.loop.passes import Passes
from reconciler.loop.work_queue import WorkQueue
from reconciler.observed.snapshot import Snapshot
from reconciler.planning.plan import Plan
from reconciler.reporting.metrics import Tally
from reconciler.settings.settings import Settings


class Agent:
    """Keeps one host as one repository says. `run` blocks until `stop` is set; all else may be read meanwhile."""

    def __init__(self, settings: Settings, now: Clock = utc_now) -> None:
        self.settings = settings
        self.ready = threading.Event()  # the first pass is through, and the world shows everything that it did
        self.queue = WorkQueue()
        self.passes = Passes()  # what each pass found, for who serves clients
        self.tally = Tally()  # likewise what was counted
        self._now = now
        self._line: Line | None = None
        self._loop: Loop | None = None

    @property
    def line(self) -> Line:
        """What joins the source and the host. Raises Transient before the loop has opened it."""
        if self._line is None:
            raise Transient("The agent is only just starting; try again in a moment.")
        return self._line

    @property
    def folders(self) -> PoolFolders | None:
        """What tells of files in pools' folders; None before the loop has begun."""
        return self._loop.folders if self._loop is not None else None

    @property
    def desired(self) -> DesiredState | None:
        """The revision in force."""
        return self._loop.followed.desired if self._loop is not None else None

    @property
    def snapshot(self) -> Snapshot | None:
        """The last good one, served while the host can't be reached."""
        return self._loop.host.snapshot if self._loop is not None else None

    @property
    def plan(self) -> Plan | None:
        """What was planned last."""
        return self._loop.latest.plan if self._loop is not None and self._loop.latest is not None else None

    def fetch_now(self) -> None:
        """There may be a new commit: ask soon. Returns at once; many calls make one question."""
        if self._loop is not None:
            self._loop.poller.now()
            if self._loop.reports is not None:
                self._loop.reports.look()

    def interrupt(self) -> None:
        """Once `stop` is set: end at once what the loop waits for, a fetch from a silent server included."""
        self.queue.wake()
        if self._line is not None:
            self._line.source.close()

    def run(self, stop: threading.Event) -> None:
        """Reconcile until `stop` is set. Raises StateError and SourceError when it can't even begin."""
        with Line.open(self.settings, exclusive=True) as line:
            self._line = line
            line.prepare()
            self._loop = Loop(
                self.settings,
                line,
                queue=self.queue,
                passes=self.passes,
                tally=self.tally,
                ready=self.ready,
                stop=stop,
                now=self._now,
            )
            self._loop.run()
