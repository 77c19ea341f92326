"""A network in Kimchi's words."""

from __future__ import annotations

import ipaddress
from typing import Final

from api.http.schema import Schema, arr, boolean, obj, text
from api.networks.attachments import machines_on_networks
from reconciler.loop.passes import World
from reconciler.observed.snapshot import BRIDGE, Observed
from specs.network import KIND as NETWORKS
from specs.plain import NewJson
from specs.reference import TEMPLATE
from specs.template import KIND as TEMPLATES

NETWORK: Final[Schema] = obj(
    {
        "name": text("Identifies the network in this API."),
        "state": text("active or inactive.", enum=["active", "inactive"]),
        "autostart": boolean("Whether it starts when the host boots."),
        "in_use": boolean("Whether a machine or a template uses it."),
        "vms": arr(text(), description="The machines that have an interface on it."),
        "subnet": text("Such as 192.168.122.0/24; empty when it has no addresses of its own."),
        "dhcp": obj({"start": text("First address that is handed out."), "end": text("Last one.")}),
        "connection": text("isolated, nat or bridge; or libvirt's word for another way of forwarding."),
        "interface": text("The host's bridge or device that its traffic goes through; empty for none."),
        "persistent": boolean("Whether it is still there after it was stopped."),
    },
    title="Network",
)


def network_view(world: World, observed: Observed) -> NewJson:
    """One network."""
    name, spec = observed.ref.name, NETWORKS.lowered(observed.live or observed.config)
    machines = list(machines_on_networks(world.snapshot).get(name, ()))
    dhcp = spec.get("dhcp", {})
    serves = bool(dhcp.get("enabled"))
    return {
        "name": name,
        "state": "active" if observed.active else "inactive",
        "autostart": observed.autostart,
        "in_use": bool(machines) or name in networks_of_templates(world),
        "vms": machines,
        "subnet": str(ipaddress.ip_network(spec["subnet"], strict=False)) if spec.get("subnet") else "",
        "dhcp": {"start": dhcp.get("start", "") if serves else "", "end": dhcp.get("end", "") if serves else ""},
        "connection": spec.get("mode") or "nat",
        "interface": str(observed.details.get(BRIDGE) or spec.get("bridge") or spec.get("interface") or ""),
        "persistent": observed.persistent,
    }


def networks_of_templates(world: World) -> frozenset[str]:
    """The networks that templates give to new machines."""
    resources = world.desired.resources
    return frozenset(
        name
        for ref, found in resources.items()
        if ref.kind == TEMPLATE
        for name in TEMPLATES.declared(found.spec).get("networks", ())
    )
