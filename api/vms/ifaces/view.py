"""A machine's network interfaces in Kimchi's words."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from api.http.schema import Schema, arr, obj, text
from api.vms.devices import devices
from reconciler.observed.snapshot import Observed
from specs.binding import parse, text_at
from specs.plain import NewJson

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredInterface

MODELS: Final = ("ne2k_pci", "i82551", "i82557b", "i82559er", "rtl8139", "e1000", "pcnet", "virtio")

INTERFACE: Final[Schema] = obj(
    {
        "type": text("What it is plugged into: network, bridge, or another of libvirt's words.", examples=["network"]),
        "mac": text("Its MAC address, by which this API knows it.", examples=["52:54:00:12:34:56"]),
        "model": text("The card that the guest sees; missing when that is left to the host.", examples=["virtio"]),
        "network": text("The network, for the type network."),
        "bridge": text("The host's bridge, for the type bridge."),
        "ips": arr(
            text(),
            description="The guest's addresses on it, as far as DHCP leases, the guest's agent or the host's ARP table"
            " tell; of a guest that runs.",
        ),
    },
    required=("type", "mac", "ips"),
    title="Network interface of a virtual machine",
)


def interfaces(observed: Observed) -> list[LoweredInterface]:
    """Each that the machine has."""
    return devices(observed, "interfaces", "mac")


def find_interface(observed: Observed, mac: str) -> LoweredInterface | None:
    """The interface with this address, in whatever case it is written."""
    return next((item for item in interfaces(observed) if item["mac"] == mac.lower()), None)


def interface_view(item: LoweredInterface, observed: Observed, ips: Mapping[str, list[str]]) -> NewJson:
    """One interface. `ips` are the addresses of the whole machine, by MAC address."""
    told: NewJson = {"type": _type(item, observed), "mac": item["mac"]}
    for key in ("model", "network", "bridge"):
        if item.get(key):
            told[key] = item[key]
    return {**told, "ips": list(ips.get(item["mac"], ()))}


def _type(item: LoweredInterface, observed: Observed) -> str:
    for kind in ("network", "bridge"):
        if item.get(kind):
            return kind
    return _types(observed.live_xml or observed.xml).get(str(item["mac"]), "user")


@lru_cache(maxsize=256)
def _types(xml: str) -> Mapping[str, str]:
    """libvirt's word by MAC address, for those that documents have no word for."""
    found = {}
    for interface in parse(xml).iterfind("devices/interface"):
        found[(text_at(interface, "mac/@address") or "").lower()] = interface.get("type") or "user"
    return found
