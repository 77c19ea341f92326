"""A network interface of the host in Kimchi's words, and which of them are worth offering."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from api.http.schema import Schema, obj, text
from reconciler.observed.answers import HostInterface
from reconciler.observed.readable import readable
from reconciler.observed.snapshot import BRIDGE, Snapshot
from specs.network import KIND as NETWORKS
from specs.plain import NewJson
from specs.reference import NETWORK

_FIELDS: Final = {
    "name": text("The device's name.", examples=["enp1s0"]),
    "type": text(
        "nic, bonding, bridge or vlan; unknown for any other.", enum=["nic", "bonding", "bridge", "vlan", "unknown"]
    ),
    "ipaddr": text("Its IPv4 address; empty without one."),
    "netmask": text("The netmask of that; empty without one."),
    "status": text("active or inactive.", enum=["active", "inactive"]),
}
INTERFACE: Final[Schema] = obj(_FIELDS, required=tuple(_FIELDS), title="Interface")


def interface_view(interface: HostInterface) -> NewJson:
    """One interface."""
    return {
        "name": interface.name,
        "type": interface.type if interface.type in _FIELDS["type"]["enum"] else "unknown",
        "ipaddr": interface.ipaddr,
        "netmask": interface.netmask,
        "status": "active" if interface.active else "inactive",
    }


def offered(interfaces: Iterable[HostInterface], snapshot: Snapshot) -> list[HostInterface]:
    """Those that a new network may go through: bonds, NICs on their own, and bridges that lead to one of either.

    What a network uses already is taken.
    """
    known = {interface.name: interface for interface in interfaces}
    enslaved = {part for each in known.values() if each.type in ("bridge", "bonding") for part in each.parts}
    used = used_by_networks(snapshot)

    def is_offered(interface: HostInterface) -> bool:
        match interface.type:
            case "nic":
                return interface.name not in enslaved
            case "bonding":
                return True
            case "bridge":
                return _leads_out(interface, known)
        return False

    return [each for each in known.values() if each.name not in used and is_offered(each)]


def _leads_out(bridge: HostInterface, known: Mapping[str, HostInterface]) -> bool:
    """True when a real NIC or a bond is behind it, a VLAN's being as good."""
    pending, seen = list(bridge.parts), {bridge.name}
    while pending:
        name = pending.pop()
        found = known.get(name)
        if found is None or name in seen:
            continue
        if found.type in ("nic", "bonding"):
            return True
        seen.add(name)
        pending += found.parts
    return False


def used_by_networks(snapshot: Snapshot) -> Mapping[str, list[str]]:
    """The host's devices that libvirt's networks have, each with the names of those."""
    found: dict[str, list[str]] = {}
    for seen in readable(snapshot, NETWORK):
        names = {str(seen.details.get(BRIDGE) or "")}
        for found_in in (seen.config, seen.live or {}):
            spec = NETWORKS.lowered(found_in)
            names |= {spec.get("bridge", ""), spec.get("interface", "")}
        for name in sorted(names - {""}):
            found.setdefault(name, []).append(seen.ref.name)
    return found
