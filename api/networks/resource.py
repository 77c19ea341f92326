"""/networks: libvirt's networks. Making, starting, stopping and removing one are commits."""

from __future__ import annotations

import ipaddress

from api.documents.resource import DocumentResource
from api.http.endpoint import Call, action, delete, get, post, put
from api.http.isolated import isolated
from api.http.refusal import bad
from api.http.schema import arr, boolean, integer, obj, text
from api.networks.attachments import machines_on_networks
from api.networks.uplink import bridge_fields, check_uplink
from api.networks.view import NETWORK, network_view, networks_of_templates
from reconciler.identity.role import Role
from reconciler.loop.passes import World
from reconciler.serving.serving import Serving
from specs import reference
from specs.plain import Json, NewDocument, NewJson, NewSpec

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


_CHANGE = obj(
    {
        "name": text("Its name, as it is: a network isn't renamed.", x_code="KCHNET0011E"),
        "autostart": boolean("Whether it starts with the host."),
        "subnet": text("Another subnet, of an isolated or a nat network.", x_code="KCHNET0013E"),
        "interface": text("Another bridge, NIC or bonding of the host, of a bridge network.", x_code="KCHNET0014E"),
        "vlan_id": integer("Another VLAN tag, of a bridge network.", minimum=1, maximum=4094, x_code="KCHNET0015E"),
    },
    x_code="KCHNET0016E",
)


class _Family(DocumentResource):
    tag = "Networks"
    kind = reference.NETWORK
    noun = "network"
    missing_code = "KCHNET0002E"
    taken_code = "KCHNET0001E"
    name_code = "KCHNET0011E"

    def view(self, world: World, name: str) -> NewJson:
        return network_view(world, self.observed(world, self.ref(name)))


class Networks(_Family):
    """All networks."""

    address = "/networks"

    @get("The networks, by name.", arr(NETWORK), filters=True, role=Role.VIEWER)
    def read(self, _call: Call) -> list[NewJson]:
        """Every network that could be read."""
        world = self.serving.world
        found = sorted(ref for ref in world.snapshot.objects if ref.kind == reference.NETWORK)
        return isolated(found, lambda ref: network_view(world, world.snapshot.objects[ref]))

    @post(
        "Make a network. It starts with the host; activate it to start it now.",
        NETWORK,
        _CREATE,
        failure="KCHNET0008E",
        role=Role.ADMIN,
    )
    def make(self, call: Call) -> NewJson:
        """Its document is committed, and the network defined."""
        name = str(call.body["name"])
        return self.view(self.create(call, self.ref(name), _spec(call, self.serving)), name)


class Network(_Family):
    """One network."""

    address = "/networks/{name}"

    @get("A network.", NETWORK, role=Role.VIEWER)
    def read(self, _call: Call, name: str) -> NewJson:
        """As it was observed last."""
        return self.view(self.serving.world, name)

    @put(
        "Change a network. All but its autostart needs one that is inactive.",
        NETWORK,
        _CHANGE,
        fallback="KCHNET0016E",
        since="2.1",
        failure="KCHNET0008E",
        role=Role.ADMIN,
    )
    def change_it(self, call: Call, name: str) -> NewJson:
        """Its document says so from now on. Nothing that runs is altered."""
        observed, body = self.observed(self.serving.world, self.ref(name)), call.body
        if body.get("name", name) != name:
            raise bad("KCHNET0011E", f"A network keeps its name; make {name} anew under the other one, and move to it.")
        if observed.active and body.keys() - {"name", "autostart"}:
            raise bad("KCHNET0005E", f"The network {name} is active; deactivate it before it is changed.")
        declared = self.serving.world.desired.resources.get(observed.ref)
        before = observed.config if declared is None else declared.spec
        _check_kind(str(before.get("mode") or ""), body)
        new = _placed({"connection": before.get("mode"), **body}, self.serving, before)

        def change(document: NewDocument) -> None:
            spec = document["spec"]
            if "autostart" in body:
                spec["autostart"] = body["autostart"]
            if "subnet" in new:
                _leave_subnet(spec)
            if "interface" in body:
                for key in ("bridge", "interface", "vlan"):
                    spec.pop(key, None)
            spec |= new

        return self.view(self.change(call, self.ref(name), change), name)

    @delete("Remove a network. It has to be inactive and unused.", failure="KCHNET0008E", role=Role.ADMIN)
    def delete(self, call: Call, name: str) -> None:
        """Its document goes, and the network with it."""
        world = self.serving.world
        if self.observed(world, self.ref(name)).active:
            raise bad("KCHNET0005E", f"The network {name} is active; deactivate it first.")
        self._refuse_in_use(world, name, "KCHNET0017E")
        self.remove(call, self.ref(name))

    @action("activate", "Start a network.", NETWORK, failure="KCHNET0022E", role=Role.ADMIN)
    def activate(self, call: Call, name: str) -> NewJson:
        """Its document says so from now on."""
        check_uplink(self.serving, self.observed(self.serving.world, self.ref(name)))
        return self.view(self.change_spec(call, self.ref(name), {"active": True}, "Activate"), name)

    @action("deactivate", "Stop a network that nobody uses.", NETWORK, failure="KCHNET0008E", role=Role.ADMIN)
    def deactivate(self, call: Call, name: str) -> NewJson:
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


def _spec(call: Call, serving: Serving) -> NewJson:
    body = call.body
    place = {"interface": "", **body} if body["connection"] == "bridge" else body
    return {"mode": body["connection"], **_placed(place, serving, {}), "autostart": True, "active": False}


def _placed(body: Json, serving: Serving, before: Json) -> NewJson:
    """Where a network of a `connection` is, by what a request says of it. Raises Refusal 400."""
    if body["connection"] == "bridge":
        if "interface" not in body and "vlan_id" not in body:
            return {}
        interface = str(body.get("interface", before.get("interface") or before.get("bridge") or ""))
        return bridge_fields(serving, interface, body.get("vlan_id"))
    if not body.get("subnet"):
        return {}
    try:
        return {"subnet": str(ipaddress.IPv4Network(body["subnet"], strict=False))}
    except ValueError:
        raise bad("KCHNET0003E", "The subnet isn't one; give an IPv4 network such as 192.168.150.0/24.") from None


def _check_kind(mode: str, body: Json) -> None:
    """Raises Refusal 400 for what a network of this kind hasn't."""
    if mode == "bridge" and "subnet" in body:
        raise bad("KCHNET0003E", "A bridge network has no subnet of its own; leave it out.")
    if mode != "bridge" and body.keys() & {"interface", "vlan_id"}:
        raise bad("KCHNET0004E", "Only a bridge network goes through an interface; leave it out.")


def _leave_subnet(spec: NewSpec) -> None:
    """What lies in the old subnet goes: the gateway and the range of DHCP are chosen anew."""
    spec.pop("gateway", None)
    dhcp = {key: value for key, value in (spec.get("dhcp") or {}).items() if key not in ("start", "end")}
    if dhcp:
        spec["dhcp"] = dhcp
    else:
        spec.pop("dhcp", None)
