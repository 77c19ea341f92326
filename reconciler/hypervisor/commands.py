"""Whatever does something to a host, put together. Only who does something loads this: a plan never does."""

from __future__ import annotations

from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.host.facts import HostFacts
from reconciler.hypervisor.performer import OperationPerformer
from reconciler.hypervisor.storagevolume.copies import Copies
from reconciler.hypervisor.storagevolume.data import VolumeData
from reconciler.hypervisor.storagevolume.volumes import Volumes
from reconciler.hypervisor.virtualmachine.refusals import Refusals
from reconciler.network.addresses import Networks
from specs.reach import Reach


class Commands:
    """The parts that one host is changed with."""

    def __init__(
        self,
        connections: Connections,
        facts: HostFacts,
        refusals: Refusals,
        *,
        allowed_folders: tuple[str, ...],
        own_folders: tuple[str, ...],
        reach: Reach | None,
        networks: Networks,
        write_here: bool,
    ) -> None:
        self.volumes = Volumes(connections, facts, networks, write_here=write_here)
        self.data = VolumeData(connections, facts, self.volumes)
        copies = Copies(connections, facts, self.volumes)
        self.performer = OperationPerformer(
            connections, self.volumes, copies, self.data, refusals, allowed_folders, own_folders, reach, networks
        )
