"""/networks: libvirt's networks. Making, starting, stopping and removing one are commits."""

from __future__ import annotations

import ipaddress
from typing import Any

from api.documents import DocumentResource
from api.http.endpoint import Call, action, delete, get, post
from api.http.refusal import bad
from api.http.schema import arr, integer, obj, text
from api.views.attachments import machines_on_networks
from api.views.guarded import guarded
from api.views.networks import NETWORK, network_view, networks_of_templates
from api.ways_out import bridge_fields, check_way_out
from reconciler.passes import World
from reconciler.serving.serving import Serving
from specs import reference

_CREATE = obj(
    {
        "name": text("Its name.", minLength=1, pattern='^[^/"]*$', x_code="KCHNET0011E"),
        "connection": text("How it reaches other networks.", enum=["isolated", "nat", "bridge"], x_code="KCHNET0012E"),
        "subnet": text("Such as 192.168.150.0/24, for isolated and nat.", x_code="KCHNET0013E"),
        "interface": text("A bridge, NIC or bonding of the host, for bridge.", x_code="KCHNET0014E"),
        "vlan_id": integer("VLAN tag, for bridge.", minimum=1, maximum=4094, x_code="KCHNET0015E"),
    },
    required=("name", "connection"),
    closed=False,
    x_code="KCHNET0016E",
)


class _Family(DocumentResource):
    tag = "Networks"
    kind = reference.NETWORK
    noun = "network"
    missing_code = "KCHNET0002E"
    taken_code = "KCHNET0001E"
    name_code = "KCHNET0011E"

    def view(self, world: World, name: str) -> dict[str, Any]:
        return network_view(world, self.observed(world, self.ref(name)))


class Networks(_Family):
    """All networks."""

    address = "/networks"

    @get("The networks, by name.", arr(NETWORK), filters=True)
    def read(self, _call: Call) -> list[dict[str, Any]]:
        """Every network that could be read."""
        world = self.serving.world
        found = sorted(ref for ref in world.snapshot.objects if ref.kind == reference.NETWORK)
        return guarded(found, lambda ref: network_view(world, world.snapshot.objects[ref]))

    @post("Make a network. It starts with the host; activate it to start it now.", NETWORK, _CREATE)
    def make(self, call: Call) -> dict[str, Any]:
        """Its document is committed, and the network defined."""
        name = str(call.body["name"])
        return self.view(self.create(call, self.ref(name), _spec(call, self.serving)), name)


class Network(_Family):
    """One network."""

    address = "/networks/{name}"

    @get("A network.", NETWORK)
    def read(self, _call: Call, name: str) -> dict[str, Any]:
        """As it was observed last."""
        return self.view(self.serving.world, name)

    @delete("Remove a network. It has to be inactive and unused.")
    def delete(self, call: Call, name: str) -> None:
        """Its document goes, and the network with it."""
        world = self.serving.world
        if self.observed(world, self.ref(name)).active:
            raise bad("KCHNET0005E", f"The network {name} is active; deactivate it first.")
        self._refuse_in_use(world, name, "KCHNET0017E")
        self.remove(call, self.ref(name))

    @action("activate", "Start a network.", NETWORK)
    def activate(self, call: Call, name: str) -> dict[str, Any]:
        """Its document says so from now on."""
        check_way_out(self.serving, self.observed(self.serving.world, self.ref(name)))
        return self.view(self.change_spec(call, self.ref(name), {"active": True}, "Activate"), name)

    @action("deactivate", "Stop a network that nobody uses.", NETWORK)
    def deactivate(self, call: Call, name: str) -> dict[str, Any]:
        """Its document says so from now on."""
        world = self.serving.world
        self.observed(world, self.ref(name))
        self._refuse_in_use(world, name, "KCHNET0018E")
        return self.view(self.change_spec(call, self.ref(name), {"active": False}, "Deactivate"), name)

    @staticmethod
    def _refuse_in_use(world: World, name: str, code: str) -> None:
        users = [f"machine {each}" for each in machines_on_networks(world.snapshot).get(name, ())]
        users += ["a template"] if name in networks_of_templates(world) else []
        if users:
            raise bad(code, f"The network {name} is used by {', '.join(users)}; take it away from there first.")


def _spec(call: Call, serving: Serving) -> dict[str, Any]:
    body = call.body
    spec: dict[str, Any] = {"mode": body["connection"]}
    if body["connection"] == "bridge":
        spec |= bridge_fields(serving, body.get("interface") or "", body.get("vlan_id"))
    elif body.get("subnet"):
        try:
            spec["subnet"] = str(ipaddress.IPv4Network(body["subnet"], strict=False))
        except ValueError:
            raise bad("KCHNET0003E", "The subnet isn't one; give an IPv4 network such as 192.168.150.0/24.") from None
    return {**spec, "autostart": True, "active": False}
