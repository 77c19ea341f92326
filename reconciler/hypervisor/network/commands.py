"""What can be done to networks."""

from __future__ import annotations

import threading

import libvirt

from reconciler.hypervisor import activation, defining
from reconciler.hypervisor.given import Given
from reconciler.hypervisor.handlers import Access, KindCommands, nothing
from reconciler.hypervisor.links import check_links
from reconciler.hypervisor.network.interfaces import define_interface
from reconciler.hypervisor.network.live import reconnect_interfaces, update_network
from reconciler.planning.operations import (
    Define,
    DefineInterface,
    ReconnectInterfaces,
    SetAutostart,
    Start,
    Stop,
    Undefine,
    UpdateNetwork,
)

# libvirt gives a new network the first free bridge name, and two that are defined at once the same one; the second
# could neither be started nor changed.
_CHOOSING_A_BRIDGE = threading.Lock()


class NetworkCommands(KindCommands):
    """Of one host's networks. None opens a file."""

    def __init__(self, access: Access) -> None:
        super().__init__()
        connections = access.connections
        self.on(DefineInterface, lambda given: define_interface(connections, given.operation), opens=nothing)
        self._allowed_folders = access.allowed_folders if access.is_here else ()
        self.on(
            Define,
            lambda given: defining.define(connections, given, _write),
            opens=nothing,
            check=self._check_folders,
        )
        self.on(
            Undefine,
            lambda given: defining.undefine(connections, given.operation, libvirt.virNetwork.undefine),
            opens=nothing,
        )
        self.on(SetAutostart, lambda given: defining.set_autostart(connections, given.operation), opens=nothing)
        self.on(
            Start,
            lambda given: activation.start(connections, given.operation, libvirt.virNetwork.create),
            opens=nothing,
        )
        self.on(Stop, lambda given: activation.stop(connections, given.operation), opens=nothing)
        self.on(UpdateNetwork, lambda given: update_network(connections, given.operation), opens=nothing)
        self.on(ReconnectInterfaces, lambda given: reconnect_interfaces(connections, given.operation), opens=nothing)

    def _check_folders(self, given: Given[Define]) -> None:
        """What it gives to whoever asks comes from where it may."""
        check_links(given.root, self._allowed_folders, lambda _path: False)


def _write(connection: libvirt.virConnect, xml: str) -> None:
    with _CHOOSING_A_BRIDGE:
        connection.networkDefineXML(xml)
