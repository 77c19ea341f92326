"""Which device of the host a bridge network goes through: looked for before anything is committed.

libvirt starts a network over a device that isn't there without a word; it is the machines on it that then don't start.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from api.http.refusal import bad
from api.interfaces.view import used_by_networks
from reconciler.errors import Unsupported
from reconciler.observed.answers import HostInterface
from reconciler.observed.snapshot import Observed
from reconciler.serving.serving import Serving
from specs.network.vlan import vlan_bridge_name
from specs.plain import NewJson, Spec

_UNFIT: Final = "KCHNET0007E"


def bridge_fields(serving: Serving, interface: str, vlan: int | None) -> NewJson:
    """The fields of a new network's document for a NIC, a bonding or a bridge of the host. Raises Refusal 400."""
    if not interface:
        raise bad("KCHNET0004E", "A bridge network needs the `interface` of the host that it goes through.")
    tagged = {} if vlan is None else {"vlan": vlan}
    if (known := _interfaces(serving)) is None:
        return {"interface": interface, **tagged}
    if (found := known.get(interface)) is None:
        raise bad(_UNFIT, f"The host has no interface {interface}; name one of /interfaces.")
    way = interface if vlan is None else vlan_bridge_name(interface, vlan)
    if users := used_by_networks(serving.world.snapshot).get(way):
        raise bad("KCHNET0006E", f"{way} is the way out of the network {', '.join(users)}; name another interface.")
    match found.type:
        case "bridge" if tagged:
            raise bad("KCHNET0019E", f"{interface} is a bridge, and a VLAN is made over a NIC or a bonding; name one.")
        case "bridge":
            return {"bridge": interface}
        case "nic" | "bonding":
            return {"interface": interface, **tagged}
    raise bad(_UNFIT, f"{interface} is no NIC, bonding or bridge; name one of /interfaces, or write a document.")


def check_uplink(serving: Serving, network: Observed) -> None:
    """Raises Refusal 400 for a network that goes through a device that the host hasn't."""
    declared = serving.world.desired.resources.get(network.ref)
    spec: Spec = network.config if declared is None else declared.spec
    # A VLAN's bridge is made again when it is missing: what has to be there is the interface below it.
    way = str(spec.get("interface") or spec.get("bridge") or "") if spec.get("mode") == "bridge" else ""
    if way and (known := _interfaces(serving)) is not None and way not in known:
        raise bad(_UNFIT, f"The host has no interface {way}, which {network.ref.name} goes through; make it first.")


def _interfaces(serving: Serving) -> Mapping[str, HostInterface] | None:
    """By name; None where the host can't tell."""
    try:
        return {each.name: each for each in serving.hypervisor.host_interfaces()}
    except Unsupported:
        return None
