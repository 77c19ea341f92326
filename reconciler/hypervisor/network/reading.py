"""Reads networks, and who is plugged into those that are active.

A machine's plugs come and go with its runs, without an event of the network: the active ones are read again after
machines.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import libvirt

from reconciler.hypervisor.active_or_not import Family, read_all, read_some
from reconciler.hypervisor.driver import ReadingTools
from reconciler.hypervisor.network.ports import plugged_in
from reconciler.hypervisor.reading import Reading
from reconciler.observed.snapshot import BRIDGE, PORTS, Observed
from specs.reference import NETWORK, VIRTUAL_MACHINE

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class NetworkReader:
    """The networks of one host."""

    def __init__(self, tools: ReadingTools) -> None:
        self._connections = tools.connections

    def read(self, reading: Reading) -> None:
        """All of them, or the marked ones and those that machines which were read may be plugged into."""
        if reading.everything:
            reading.found.add(read_all(self._connections, _NETWORKS, reading.before))
            return
        networks = set(reading.wanted(NETWORK))
        if reading.wanted(VIRTUAL_MACHINE):  # read before, so that no plug of theirs is missed
            networks.update(ref for ref, seen in reading.before.items() if ref.kind == NETWORK and seen.active)
        if networks:
            reading.found.add(read_some(self._connections, _NETWORKS, sorted(networks), reading.before))
            reading.note_read(networks)

    def outdated(self, name: str) -> None:
        """libvirt knows its networks."""


def _plugs(network: Any, before: Observed | None) -> Mapping[str, Any]:
    """Of an active network with a bridge: the bridge's name, and the ports by their UUIDs; nothing where the driver
    knows of none.
    """
    try:
        bridge = network.bridgeName()
        known = before.details.get(PORTS, _NOTHING) if before is not None else _NOTHING
        return {BRIDGE: bridge, PORTS: plugged_in(network, known)}
    except libvirt.libvirtError:  # it has no bridge, its driver no ports, or it was stopped meanwhile
        return _NOTHING


_NETWORKS = Family(
    kind=NETWORK,
    words="networks",
    listing=libvirt.virConnect.listAllNetworks,
    lookup=libvirt.virConnect.networkLookupByName,
    list_active=libvirt.VIR_CONNECT_LIST_NETWORKS_ACTIVE,
    list_autostart=libvirt.VIR_CONNECT_LIST_NETWORKS_AUTOSTART,
    list_transient=libvirt.VIR_CONNECT_LIST_NETWORKS_TRANSIENT,
    inactive_xml=libvirt.VIR_NETWORK_XML_INACTIVE,
    details=_plugs,
)
