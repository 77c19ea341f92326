"""/vms/{name}/ifaces: a machine's network interfaces. Plugging in, changing and unplugging are commits."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final, cast

from api.http.endpoint import Answer, Call, delete, get, post, put
from api.http.isolated import isolated
from api.http.refusal import bad, not_found
from api.http.schema import arr, obj, text
from api.services import Services
from api.vms.devices import Listed, MachineDevices
from api.vms.ifaces.addresses import Addresses
from api.vms.ifaces.view import INTERFACE, MODELS, find_interface, interface_view, interfaces
from reconciler.identity.role import Role
from reconciler.observed.readable import readable
from reconciler.observed.snapshot import Observed
from reconciler.serving.machine_items import Item
from specs.plain import NewJson
from specs.reference import NETWORK, VIRTUAL_MACHINE, Ref
from specs.virtualmachine.interfaces.connection_fields import CONNECTIONS, NAMED
from specs.virtualmachine.interfaces.names import interface_name

if TYPE_CHECKING:
    from specs.virtualmachine.spec import Interface

LISTED: Final = "interfaces"
_BAD_MAC: Final = "KCHVMIF0010E"
_MAC: Final = "[0-9A-Fa-f][02468ACEace](?::[0-9A-Fa-f]{2}){5}"
_MAC_TOLD: Final = (
    "A MAC address is six pairs of hexadecimal digits such as 52:54:00:12:34:56, the first an even number."
)
_VOLATILE: Final = frozenset({"ips"})
_OURS: Final = "52:54:00"  # QEMU's range

_MODEL = text("The card that the guest sees.", enum=list(MODELS), x_code="KCHVMIF0006E")
_CREATE = obj(
    {
        "type": text("What it is plugged into.", enum=["network"], x_code="KCHVMIF0004E"),
        "network": text("The network.", minLength=1, x_code="KCHVMIF0007E"),
        "model": _MODEL,
        "mac": text(
            "Its MAC address; one is chosen when it is empty or missing.",
            pattern=f"^(?:{_MAC})?$",
            x_code=_BAD_MAC,
            x_message=_MAC_TOLD,
        ),
    },
    required=("type",),
    closed=False,
    x_code="KCHVMIF0007E",
)
_UPDATE = obj(
    {
        "network": text("The network to plug it into, at once.", minLength=1, x_code="KCHVMIF0007E"),
        "model": _MODEL | {"description": "The card that the guest sees from its next start on."},
        "mac": text(
            "Another MAC address, for a machine that is shut off.",
            pattern=f"^{_MAC}$",
            x_code=_BAD_MAC,
            x_message=_MAC_TOLD,
        ),
    },
    closed=False,
)


class _Family(MachineDevices):
    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.addresses = Addresses(
            lambda ref: self.serving.hypervisor.guest_addresses(ref, "lease", "arp"),
            lambda ref: self.serving.hypervisor.guest_addresses(ref, "agent"),
        )

    def found(self, observed: Observed, mac: str) -> NewJson:
        item = find_interface(observed, mac)
        if item is None:
            raise not_found("KCHVMIF0001E", f"The interface {mac} of {observed.ref.name}")
        return interface_view(item, observed, self.addresses.by_mac(observed))

    def check_network(self, name: str) -> None:
        world = self.serving.world
        ref = Ref(NETWORK, name)
        if ref not in world.snapshot.objects and ref not in world.desired.resources:
            raise bad("KCHVMIF0002E", f"There is no network {name}.")

    def check_mac(self, mac: str) -> None:
        """Raises Refusal 400 when somebody on this host has the address."""
        for observed in readable(self.serving.world.snapshot, VIRTUAL_MACHINE):
            if find_interface(observed, mac) is not None:
                raise bad("KCHVMIF0009E", f"{observed.ref.name} has an interface with the address {mac} already.")


class MachineInterfaces(_Family):
    """All interfaces of a machine."""

    address = "/vms/{name}/ifaces"

    @get("The network interfaces of a machine.", arr(INTERFACE), filters=True, blocking=True, role=Role.VIEWER)
    def read(self, _call: Call, name: str) -> list[NewJson]:
        """Those that it runs with, or would start with."""
        observed = self.machine(name)
        ips = self.addresses.by_mac(observed)
        return isolated(
            interfaces(observed),
            lambda item: interface_view(item, observed, ips),
            lambda _item: f"an interface of {observed.ref}",
        )

    @post("Plug a machine into a network.", INTERFACE, _CREATE, failure="KCHVM0008E", role=Role.ADMIN)
    def attach(self, call: Call, name: str) -> NewJson:
        """Its document lists the interface from now on."""
        observed = self.machine(name)
        network = str(call.body.get("network") or "")
        if not network:
            raise bad("KCHVMIF0007E", "Name the `network` that the interface is plugged into.")
        self.check_network(network)
        mac = str(call.body.get("mac") or "").lower() or self._new_mac()
        self.check_mac(mac)
        self.check_pluggable(observed)
        item: Item = {"network": network, "mac": mac}
        if "model" in call.body:
            item["model"] = call.body["model"]

        def change(listed: Listed) -> None:
            if any(str(each.get("mac") or "").lower() == mac for each in listed.items):
                raise bad("KCHVMIF0009E", f"{name} has an interface with the address {mac} already.")
            listed.items.append(_named(item, listed.items))

        world = self.change_list(call, observed, LISTED, change, f"Plug network {network} into")
        now = self.observed(world, observed.ref)
        if find_interface(now, mac) is None:
            raise self.not_there(world, "the interface")
        self.check_running(observed.ref, LISTED, lambda found: found.get("mac") == mac, there=True)
        return self.found(now, mac)

    def _new_mac(self) -> str:
        objects = self.serving.world.snapshot.objects
        machines = [observed for ref, observed in objects.items() if ref.kind == VIRTUAL_MACHINE]
        while True:
            mac = ":".join((_OURS, *(f"{byte:02x}" for byte in secrets.token_bytes(3))))
            if all(find_interface(each, mac) is None for each in machines):
                return mac


class MachineInterface(_Family):
    """One interface."""

    address = "/vms/{name}/ifaces/{mac}"

    @get("A network interface.", INTERFACE, blocking=True, volatile=_VOLATILE, role=Role.VIEWER)
    def read(self, _call: Call, name: str, mac: str) -> NewJson:
        """As it was observed last."""
        return self.found(self.machine(name), mac)

    @put(
        "Change an interface's network, model or MAC address.",
        INTERFACE,
        _UPDATE,
        other={303: None},
        failure="KCHVM0008E",
        role=Role.ADMIN,
    )
    def change_interface(self, call: Call, name: str, mac: str) -> Answer | NewJson:
        """The network changes at once, the model with the next start, the address only while the machine is off."""
        observed = self.machine(name)
        now, mac = self.found(observed, mac), mac.lower()
        wanted = {key: str(call.body[key]) for key in ("network", "model", "mac") if key in call.body}
        new_mac = wanted.get("mac", mac).lower()
        if new_mac != mac:
            if observed.active:
                raise bad("KCHVMIF0011E", f"{name} runs; shut it down before an interface gets another MAC address.")
            self.check_mac(new_mac)
        if wanted.get("network", now.get("network")) != now.get("network"):
            self.check_network(wanted["network"])
            self.check_pluggable(observed)
        if not wanted:
            return now

        def change(listed: Listed) -> None:
            _keep_apart(listed)
            place = listed.place(lambda found: found.get("mac") == mac)
            if place is None:
                place = len(listed.items)
                listed.items.append({key: now[key] for key in ("network", "bridge") if key in now} | {"mac": mac})
            listed.items[place] = _changed(listed, place, wanted | {"mac": new_mac}, now)

        world = self.change_list(call, observed, LISTED, change, f"Change interface {mac} of")
        if new_mac == mac:
            return self.found(self.observed(world, observed.ref), mac)
        self.detach_undeclared(call, observed.ref, LISTED, lambda found: found.get("mac") == mac)
        return Answer(status=303, location=f"/vms/{name}/ifaces/{new_mac}")

    @delete("Unplug a network interface.", failure="KCHVM0008E", role=Role.ADMIN)
    def detach_interface(self, call: Call, name: str, mac: str) -> None:
        """Its document doesn't list it any more."""
        observed = self.machine(name)
        self.found(observed, mac)
        self.check_pluggable(observed)
        address = mac.lower()

        def also(listed: Listed, _place: int) -> None:
            _keep_apart(listed)

        self.detach(
            call, observed, LISTED, lambda found: found.get("mac") == address, f"Unplug interface {address} from", also
        )


def _changed(listed: Listed, place: int, wanted: dict[str, str], now: NewJson) -> Item:
    """The item as it is to be. What is written anew keeps what the device is now, where nothing else is wanted."""
    item = dict(listed.items[place])
    others = [each for index, each in enumerate(listed.items) if index != place]
    if wanted["mac"] != now["mac"] and "model" not in item and now.get("model"):
        item["model"] = now["model"]  # with another address it is plugged in anew
    if "network" in wanted:
        for name in ("portgroup", *NAMED, *CONNECTIONS):
            item.pop(name, None)
        item["network"] = wanted["network"]
    if "model" in wanted:
        item["model"] = wanted["model"]
    if "mac" in item or wanted["mac"] != now["mac"] or "network" in wanted:
        item["mac"] = wanted["mac"]  # a derived one would be another one on another network
    if not any(name in item for name in (*NAMED, *CONNECTIONS)):
        raise bad("KCHVMIF0007E", "Name the `network` that it is to be on: documents have no word for where it is now.")
    return _named(item, others)


def _named(item: Item, others: list[Item]) -> Item:
    """With a name of its own where another is called by the same network or bridge."""
    names = {interface_name(cast("Interface", each)) for each in others}
    own = interface_name(cast("Interface", item))
    if own not in names:
        return item
    return {
        "name": next(name for number in range(2, len(names) + 3) if (name := f"{own}-{number}") not in names)
    } | item


def _keep_apart(listed: Listed) -> None:
    """Interfaces that were taken as they are, whatever their addresses, get these into the document."""
    listed.keep_apart("mac", lambda pair: pair.lowered.get("derivedMac") != pair.found.get("mac"))
