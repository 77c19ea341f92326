"""Which running machines lost a network that they are defined to be on, because it was stopped and started below them.

libvirt leaves their interfaces dangling then: the network's ports, which the snapshot holds, don't name them any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.bulkhead import Failure, contained
from reconciler.observed.snapshot import BRIDGE, PORTS, Observed, Snapshot
from specs.network import KIND as NETWORKS
from specs.network.model import has_own_bridge
from specs.reference import NETWORK, VIRTUAL_MACHINE, Ref
from specs.virtualmachine import KIND as MACHINES


def disconnected(snapshot: Snapshot) -> Mapping[Ref, tuple[Ref, ...]]:
    """For each active network: the machines with an interface that isn't plugged into it, in order of their names.

    Only where libvirt made the network's bridge: a bridge of the host's own outlives a restart of the network.
    """
    networks = {
        ref.name: (frozenset(seen.details[PORTS].values()), str(seen.details[BRIDGE]))
        for ref, seen in snapshot.objects.items()
        if ref.kind == NETWORK
        and PORTS in seen.details
        and contained("finding its bridge", ref, seen.live_xml, _has_own_bridge, seen) is True
    }
    found: dict[Ref, set[Ref]] = {}
    if networks:
        bridges = {bridge: name for name, (_, bridge) in networks.items()}
        for ref, seen in snapshot.objects.items():
            if ref.kind == VIRTUAL_MACHINE and seen.active:
                key = (seen.xml, seen.live_xml)
                plugged = contained("finding its plugs", ref, key, _interfaces, seen, bridges)
                for name, mac in () if isinstance(plugged, Failure) else plugged:
                    if name in networks and (seen.uid.lower(), mac) not in networks[name][0]:
                        found.setdefault(Ref(NETWORK, name), set()).add(ref)
    return {network: tuple(sorted(machines)) for network, machines in found.items()}


def _has_own_bridge(network: Observed) -> bool:
    return network.live is not None and has_own_bridge(NETWORKS.lowered(network.live))


def _interfaces(machine: Observed, bridges: Mapping[str, str]) -> list[tuple[str, str]]:
    return list(_plugged(machine, bridges))


def _plugged(machine: Observed, bridges: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Network and MAC of every interface that belongs on one."""
    for interface in MACHINES.lowered(machine.live or {}).get("interfaces", ()):
        mac = str(interface.get("mac", ""))
        if network := interface.get("network"):
            yield network, mac
        elif (network := bridges.get(interface.get("bridge", ""))) and _is_defined(machine, network, mac):
            yield network, mac  # it was moved to the bare bridge on its way back, and that was cut off


def _is_defined(machine: Observed, network: str, mac: str) -> bool:
    interfaces = MACHINES.lowered(machine.config).get("interfaces", ())
    return any(each.get("mac") == mac and each.get("network") == network for each in interfaces)
