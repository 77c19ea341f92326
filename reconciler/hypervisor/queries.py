"""Whatever is asked of a host beside its snapshot. Only who asks loads this: a plan never does."""

from __future__ import annotations

import socket

from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.host.abilities import AbilitiesAsked
from reconciler.hypervisor.host.devices import DeviceList
from reconciler.hypervisor.host.interfaces import host_interfaces
from reconciler.hypervisor.virtualmachine.display import open_display
from reconciler.hypervisor.virtualmachine.queries import SOURCES, guest_addresses, machine_state, serial_log
from reconciler.hypervisor.virtualmachine.screenshots import screenshot
from reconciler.hypervisor.virtualmachine.serial_socket import open_serial
from reconciler.hypervisor.virtualmachine.snapshot_list import snapshots
from reconciler.observed.answers import GuestAddress, HostInterface, SnapshotOf
from specs.reference import Ref


class Queries:
    """The queries of one host, each as the method of `Hypervisor` that asks it says."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.devices = DeviceList(connections)
        self.abilities = AbilitiesAsked(connections)

    def snapshots(self, ref: Ref) -> tuple[SnapshotOf, ...]:
        """A VM's snapshots, the oldest first."""
        return snapshots(self._connections, ref)

    def screenshot(self, ref: Ref) -> bytes:
        """A PNG of a VM's screen."""
        return screenshot(self._connections, ref)

    def display(self, ref: Ref, uid: str) -> socket.socket:
        """A VM's screen."""
        return open_display(self._connections, ref, uid)

    def serial(self, ref: Ref, uid: str, *, force: bool) -> socket.socket:
        """A VM's serial line."""
        return open_serial(self._connections.uri, ref, uid, force=force)

    def machine_state(self, ref: Ref) -> str:
        """How a VM is at this moment."""
        return machine_state(self._connections, ref)

    def guest_addresses(self, ref: Ref, *sources: str) -> tuple[GuestAddress, ...]:
        """A running VM's addresses as anybody, or one of `sources`, knows them."""
        return guest_addresses(self._connections, ref, sources or SOURCES)

    def serial_log(self, ref: Ref) -> str:
        """The file of a VM's serial line."""
        return serial_log(self._connections, ref)

    def host_interfaces(self) -> tuple[HostInterface, ...]:
        """The host's network interfaces."""
        return host_interfaces(self._connections)
