"""The network interfaces of a virtual machine in libvirt's XML. An interface is known by its MAC address.

A lowered interface has a `mac` when one is declared, else a `derivedMac`: then an interface on the declared network
that was there before is taken as it is, so that adopting a machine doesn't give it a second card.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lxml import etree

from specs.binding import Element, Items, child_at, write_item
from specs.bound import bound_to
from specs.codecs import MAC
from specs.declared_binds import binder, completed
from specs.effect import Effect
from specs.virtualmachine.interfaces.connections import CONNECTED, same_connection
from specs.virtualmachine.interfaces.fields import INTERFACE, VIRTIO_MODELS
from specs.virtualmachine.interfaces.names import connection, interface_name
from specs.virtualmachine.platform.boot import BOOT_ORDER, settle_boot_order
from specs.virtualmachine.storage.drives import pair_by

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredInterface, LoweredVirtualMachine

bind = binder(INTERFACE)

DEFAULT_MODEL = "virtio"
_TUNNELS = frozenset({"udp", "mcast", "server", "client"})


def _match(declared: Sequence[LoweredInterface], observed: Sequence[LoweredInterface]) -> list[int | None]:
    return pair_by(
        (
            lambda item, found: _identity(item) == found.get("mac"),
            lambda item, found: "derivedMac" in item and same_connection(item, found),
        ),
        declared,
        observed,
    )


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
    return interface_name(item) or str(_identity(item))


_OF_VIRTIO = (
    *("queues", "name", "txmode", "ioeventfd", "event_idx", "rx_queue_size", "tx_queue_size", "iommu", "ats"),
    *("packed", "page_per_vq", "rss", "rss_hash_report"),
)
_FIRST = (
    bind("mac", "mac/@address", codec=MAC),
    *CONNECTED,
)  # what another connection takes along comes again after it


def _coming(_old: object, new: LoweredInterface) -> Effect:
    """QEMU can be given most kinds while it runs; libvirt plugs no tunnel in."""
    return Effect.NEXT_BOOT if connection(new) in _TUNNELS else Effect.LIVE


_OTHERS = completed(
    INTERFACE,
    (
        *_FIRST,
        bind(
            "model",
            "model/@type",
            bound=(
                bound_to(
                    frozenset(VIRTIO_MODELS),
                    *(f"driver/@{option}" for option in _OF_VIRTIO),
                    "driver/host",
                    "driver/guest",
                ),
                bound_to({"virtio"}, "teaming"),
            ),
        ),
        bind("link", "link/@state", missing="up"),
        BOOT_ORDER,
    ),
)

INTERFACES = Items(
    "interfaces",
    elements=lambda root: root.iterfind("devices/interface"),
    parent="devices",
    fields=(*_FIRST, *(field for field in _OTHERS if field not in _FIRST)),
    identity=_identity,
    label=lambda item: str(_identity(item)),
    called=_called,
    build=_build,
    match=_match,
    insert=_insert,
    add_effect=_coming,
    settle=settle_boot_order,
)
