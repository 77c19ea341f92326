"""Puts together what serves clients, as soon as the agent has opened its state and its source."""

from __future__ import annotations

import logging
import threading

from reconciler.errors import OnggiError
from reconciler.host.qemu_access import may_read, qemu_ids
from reconciler.hypervisor.virtualmachine.sampling import Statistics
from reconciler.line.line import Line
from reconciler.locality import is_here
from reconciler.loop.agent import Agent
from reconciler.observed.osinfo.database import Database
from reconciler.observed.osinfo.images import Images
from reconciler.serving.changes import Changes
from reconciler.serving.consoles import Consoles
from reconciler.serving.freshness import Freshness
from reconciler.serving.host import HostServices
from reconciler.serving.names import Names
from reconciler.serving.new_volumes import NewVolumes
from reconciler.serving.operations import Operations
from reconciler.serving.revalidation import Revalidation
from reconciler.serving.scans import Scans
from reconciler.serving.secrets import Secrets
from reconciler.serving.serving import Serving
from reconciler.serving.tasks import Tasks
from reconciler.serving.uploads import Uploads
from reconciler.settings.bounds import KEPT_SECRETS
from reconciler.writing.opening import open_writer

log = logging.getLogger("onggi.serving")

_LONGEST_END_S = 1.0


class Opening:
    """The one `Serving` of an agent. Call it to get that, from any thread."""

    def __init__(self, agent: Agent, host: HostServices) -> None:
        """`host` is the machine that clients are shown, and which they may restart."""
        self._agent = agent
        self.host = host
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._made: Serving | None = None

    def __call__(self) -> Serving:
        """Made at first use. Raises Transient while the agent starts."""
        if self._made is not None:  # NOTE: the usual way takes no lock
            return self._made
        with self._lock:
            if self._made is None:
                self._made = self._open()
            return self._made

    def start(self) -> None:
        """Open it once the agent is ready, though nobody asks: an earlier run may have left what is to be tidied up."""
        threading.Thread(target=self._begin, name="onggi-serving", daemon=True).start()

    def _begin(self) -> None:
        self._agent.ready.wait()
        if self._stop.is_set():
            return
        try:
            self()
        except OnggiError as error:
            log.error("%s", error)  # noqa: TRY400  # a sentence; the trace says no more

    def close(self) -> None:
        """End what runs in the background."""
        with self._lock:
            self._stop.set()
            self.host.close()
            if self._made is not None:
                self._made.uploads.close()
                self._made.tasks.close()
                self._made.statistics.join(_LONGEST_END_S)

    def _open(self) -> Serving:
        agent, line, settings = self._agent, self._agent.line, self._agent.settings
        writer = open_writer(line.source) if settings.api_writes == "on" else None
        self.host.reports()  # what a crash has left half-made goes now
        database = Database()
        threading.Thread(target=database.load, name="onggi-osinfo", daemon=True).start()
        statistics = Statistics(line.hypervisor.machine_statistics)
        statistics.start(self._stop)
        changes = Changes(line, agent.queue, agent.passes, writer)
        operations, tasks = Operations(line, agent.queue, agent.passes), Tasks(line.ledger.tasks)
        volumes, images = NewVolumes(line, changes, operations), _images(line, database)
        refreshes = Revalidation()
        return Serving(
            agent=agent,
            settings=settings,
            ledger=line.ledger,
            lineage=line.lineage,
            tally=agent.tally,
            host=self.host,
            changes=changes,
            operations=operations,
            tasks=tasks,
            statistics=statistics,
            images=images,
            distributions=database,
            names=Names(),
            volumes=volumes,
            uploads=Uploads(line, volumes, tasks),
            scans=Scans(settings, tasks, images, refreshes),
            freshness=Freshness(agent, refreshes),
            consoles=Consoles(),
            secrets=Secrets(settings.state / KEPT_SECRETS),
        )


def _images(line: Line, database: Database) -> Images:
    """Of this machine, read for a QEMU that runs as libvirt says."""
    hypervisor = line.hypervisor

    def readable(path: str) -> bool:
        try:
            return may_read(path, qemu_ids(hypervisor.abilities().capabilities))
        except OnggiError:  # nobody can say now as whom it runs
            return True

    return Images(database, here=is_here(line.settings.connect), may_read=readable)
