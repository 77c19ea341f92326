"""The network interfaces of a virtual machine in libvirt's XML. An interface is known by its MAC address.

A lowered interface has a `mac` when one is declared, else a `derivedMac`: then an interface on the declared network
that was there before is taken as it is, so that adopting a machine doesn't give it a second card.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lxml import etree

from specs.binding import Element, Items, child_at, write_item
from specs.bound import Bound, bound_to, never_beside
from specs.codecs import MAC
from specs.declared_binds import binder
from specs.virtualmachine.interfaces.fields import INTERFACE
from specs.virtualmachine.platform.boot import BOOT_ORDER, settle_boot_order
from specs.virtualmachine.storage.drives import pair_by

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredInterface, LoweredVirtualMachine

bind = binder(INTERFACE)

DEFAULT_MODEL = "virtio"


def _network(interface: Element) -> str | None:
    # A running machine's definition tells the real connection (bridge, direct) and the network beside it.
    source = interface.find("source")
    return None if source is None else source.get("network")


def _bridge(interface: Element) -> str | None:
    source = interface.find("source")
    if source is None or interface.get("type") != "bridge" or source.get("network") is not None:
        return None
    return source.get("bridge")


def _connect(interface: Element, kind: str, name: str) -> None:
    for old in interface.findall("source"):
        interface.remove(old)
    interface.set("type", kind)
    etree.SubElement(interface, "source").set(kind, name)


def _match(declared: Sequence[LoweredInterface], observed: Sequence[LoweredInterface]) -> list[int | None]:
    return pair_by(
        (
            lambda item, found: _identity(item) == found.get("mac"),
            lambda item, found: "derivedMac" in item and _same_connection(item, found),
        ),
        declared,
        observed,
    )


def _same_connection(item: LoweredInterface, found: LoweredInterface) -> bool:
    return (item.get("network"), item.get("bridge")) == (found.get("network"), found.get("bridge"))


def _identity(item: LoweredInterface) -> Any:
    return item.get("mac") or item.get("derivedMac")


def _insert(root: Element, item: LoweredInterface, _declared: LoweredVirtualMachine) -> Element:
    interface = etree.SubElement(child_at(root, "devices"), "interface", type="network")
    etree.SubElement(interface, "mac", address=str(_identity(item)))
    write_item(INTERFACES, interface, {"model": DEFAULT_MODEL, **item})
    return interface


def _build(item: LoweredInterface) -> Element:
    return _insert(etree.Element("domain"), item, {})


def _called(item: LoweredInterface) -> str:
    return str(item.get("name") or item.get("network") or item.get("bridge") or _identity(item))


# How a NIC joins something that isn't a plain network or bridge of the host: Open vSwitch, macvtap, a card of the host.
# From one bridge to another the way of joining stays: which of them is a switch isn't to be seen from here.
_OF_ONE_CONNECTION = ("virtualport", "vlan", "@trustGuestRxFilters")
_OF_BRIDGES = Bound(_OF_ONE_CONNECTION, lambda _name, interface: interface.get("type") == "bridge")
_OF_OTHER_TYPES = never_beside(
    *("@managed", "target/@managed", "ip", "route", "script", "downscript", "portForward", "backend/@type"),
    *("backend/@logFile", "driver[@name='vfio']", "driver[@name='kvm']", "teaming[@type='transient']"),
)
_OF_VIRTIO = (
    *("queues", "name", "txmode", "ioeventfd", "event_idx", "rx_queue_size", "tx_queue_size", "iommu", "ats"),
    *("packed", "page_per_vq", "rss", "rss_hash_report"),
)
_VIRTIO_MODELS = frozenset({"virtio", "virtio-transitional", "virtio-non-transitional"})

INTERFACES = Items(
    "interfaces",
    elements=lambda root: root.iterfind("devices/interface"),
    parent="devices",
    fields=(
        bind("mac", "mac/@address", codec=MAC),
        bind(
            "network",
            get=_network,
            put=lambda interface, name: _connect(interface, "network", name),
            bound=(never_beside(*_OF_ONE_CONNECTION), _OF_OTHER_TYPES),
        ),
        bind(
            "bridge",
            get=_bridge,
            put=lambda interface, name: _connect(interface, "bridge", name),
            bound=(_OF_BRIDGES, _OF_OTHER_TYPES),
        ),
        bind(
            "model",
            "model/@type",
            bound=(
                bound_to(
                    _VIRTIO_MODELS, *(f"driver/@{option}" for option in _OF_VIRTIO), "driver/host", "driver/guest"
                ),
                bound_to({"virtio"}, "teaming"),
            ),
        ),
        bind("link", "link/@state", missing="up"),
        BOOT_ORDER,
    ),
    identity=_identity,
    label=lambda item: str(_identity(item)),
    called=_called,
    build=_build,
    match=_match,
    insert=_insert,
    settle=settle_boot_order,
)
