"""What can be done to network filters."""

from __future__ import annotations

import libvirt

from reconciler.hypervisor import defining
from reconciler.hypervisor.handlers import Access, KindCommands, nothing
from reconciler.planning.operations import Define, Undefine


class FilterCommands(KindCommands):
    """Of one host's filters. What is defined is in force in running machines, too: libvirt sees to that."""

    def __init__(self, access: Access) -> None:
        super().__init__()
        connections = access.connections
        self.on(
            Define,
            lambda given: defining.define(connections, given, libvirt.virConnect.nwfilterDefineXML, name_at="@name"),
            opens=nothing,
        )
        self.on(
            Undefine,
            lambda given: defining.undefine(
                connections, given.operation, libvirt.virNWFilter.undefine, is_active=defining.never
            ),
            opens=nothing,
        )
