"""Everything that a client may ask of one running agent, in one place: what `api` is given to work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import Disconnected, OnggiError
from reconciler.hypervisor.hypervisor import Hypervisor
from reconciler.loop.agent import Agent
from reconciler.loop.passes import World
from reconciler.serving.adoption import document_of
from reconciler.serving.changes import Changes
from reconciler.serving.client import Client
from reconciler.serving.consoles import Consoles
from reconciler.serving.freshness import Freshness
from reconciler.serving.host import HostServices
from reconciler.serving.names import Names
from reconciler.serving.new_volumes import NewVolumes
from reconciler.serving.operations import Operations
from reconciler.serving.scans import Scans
from reconciler.serving.secrets import Secrets
from reconciler.serving.sight import Sight
from reconciler.serving.tasks import Tasks
from reconciler.serving.uploads import Uploads
from reconciler.settings.settings import Settings
from reconciler.writing.changes import Documents
from specs.plain import NewDocument
from specs.reference import Ref

if TYPE_CHECKING:
    from reconciler.desired.state import DesiredState
    from reconciler.hypervisor.virtualmachine.sampling import Statistics
    from reconciler.ledger.ledger import Ledger
    from reconciler.line.lineage import Lineage
    from reconciler.observed.answers import Abilities
    from reconciler.observed.osinfo.database import Database
    from reconciler.observed.osinfo.images import Images
    from reconciler.observed.snapshot import Snapshot
    from reconciler.reporting.metrics import Tally


@dataclass(frozen=True, slots=True)
class Serving:
    """One per agent. Every member may be used from any thread."""

    agent: Agent
    settings: Settings  # what the agent was told
    ledger: Ledger  # what it remembers
    lineage: Lineage  # how an object is known to be its own
    tally: Tally  # what it has counted
    host: HostServices
    changes: Changes
    operations: Operations
    tasks: Tasks
    secrets: Secrets
    statistics: Statistics
    images: Images
    distributions: Database
    names: Names
    volumes: NewVolumes
    uploads: Uploads
    scans: Scans
    freshness: Freshness
    consoles: Consoles

    @property
    def world(self) -> World:
        """What the last pass found. Raises Transient before the first is through."""
        return self.changes.world

    @property
    def desired(self) -> DesiredState | None:
        """The revision in force, also before the first pass is through."""
        return self.agent.desired

    @property
    def snapshot(self) -> Snapshot | None:
        """What was seen last, also before the first pass is through."""
        return self.agent.snapshot

    @property
    def connected(self) -> bool:
        """Whether the host can be reached now, whatever the last pass saw."""
        return self.agent.line.hypervisor.connected

    def abilities(self) -> Abilities | None:
        """What the host can do, as libvirt tells now; as it told last while it is away."""
        hypervisor = self.agent.line.hypervisor
        try:
            return hypervisor.abilities() if hypervisor.connected else hypervisor.abilities_before
        except OnggiError:
            return hypervisor.abilities_before

    @property
    def hypervisor(self) -> Hypervisor:
        """For what is asked of the host at request. Raises Transient at the start, Disconnected while it is away."""
        if not self.world.snapshot.connected:
            raise Disconnected(f"{self.settings.connect} can't be reached now; try again when it's back.", 5.0)
        return self.agent.line.hypervisor

    def sight(self, client: Client) -> Sight:
        """What a client sees of machines, and may do with each."""
        return Sight(client, lambda: self.world)

    def document(self, ref: Ref, documents: Documents) -> NewDocument:
        """The whole document of `ref` as plain data, for a change: declared, or exported from the host to adopt it.

        Raises NotFound for what is neither, Terminal for what can't have a document.
        """
        return document_of(ref, documents, self.world, self.settings.allowed_folders)
