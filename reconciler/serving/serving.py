"""Everything that a client may ask of one running agent, in one place: what `api` is given to work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.errors import Disconnected
from reconciler.hypervisor.hypervisor import Hypervisor
from reconciler.loop.agent import Agent
from reconciler.loop.passes import World
from reconciler.serving.adoption import document_of
from reconciler.serving.changes import Changes
from reconciler.serving.freshness import Freshness
from reconciler.serving.host import HostServices
from reconciler.serving.names import Names
from reconciler.serving.new_volumes import NewVolumes
from reconciler.serving.operations import Operations
from reconciler.serving.scans import Scans
from reconciler.serving.secrets import Secrets
from reconciler.serving.tasks import Tasks
from reconciler.serving.uploads import Uploads
from reconciler.settings.settings import Settings
from reconciler.writing.changes import Documents
from specs.reference import Ref

if TYPE_CHECKING:
    from reconciler.hypervisor.virtualmachine.sampling import Statistics
    from reconciler.observed.osinfo.database import Database
    from reconciler.observed.osinfo.images import Images


@dataclass(frozen=True, slots=True)
class Serving:
    """One per agent. Every member may be used from any thread."""

    agent: Agent
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

    @property
    def settings(self) -> Settings:
        """What the agent was told."""
        return self.agent.settings

    @property
    def world(self) -> World:
        """What the last pass found. Raises Transient before the first is through."""
        return self.changes.world

    @property
    def hypervisor(self) -> Hypervisor:
        """For what is asked of the host at request. Raises Transient at the start, Disconnected while it is away."""
        if not self.world.snapshot.connected:
            raise Disconnected(f"{self.settings.connect} can't be reached now; try again when it's back.", 5.0)
        return self.agent.line.hypervisor

    def document(self, ref: Ref, documents: Documents) -> dict[str, Any]:
        """The whole document of `ref` as plain data, for a change: declared, or exported from the host to adopt it.

        Raises NotFound for what is neither, Terminal for what can't have a document.
        """
        return document_of(ref, documents, self.world, self.agent)
