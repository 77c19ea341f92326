"""What a machine's network interface is plugged into, in libvirt's XML: its type, and what is said beside it.

A document names one connection. Where another one was before, its source goes with all that libvirt takes only beside
that; a network and a bridge of the host's are the two between which a running machine can be moved.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from lxml import etree

from specs.binding import Element, Field, child_at, read, text_at, write
from specs.bound import Bound, never_beside
from specs.comparing import differences
from specs.declared import Declared
from specs.declared_binds import binder, completed
from specs.effect import Effect
from specs.pci import pci_text, put_pci
from specs.plain import NewSpec
from specs.virtualmachine.interfaces.connection_fields import CONNECTIONS, NAMED
from specs.virtualmachine.interfaces.fields import INTERFACE

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredInterface

bind = binder(INTERFACE)


# How a NIC joins something that isn't a plain network or bridge of the host: Open vSwitch, macvtap, a card of the host.
# From one bridge to another the way of joining stays: which of them is a switch isn't to be seen from here.
_OF_ONE_CONNECTION = ("virtualport", "vlan", "@trustGuestRxFilters")
_OF_BRIDGES = Bound(_OF_ONE_CONNECTION, lambda _name, interface: interface.get("type") == "bridge")
_OF_OTHER_TYPES = never_beside(
    *("@managed", "target/@managed", "ip", "route", "script", "downscript", "portForward", "backend/@type"),
    *("backend/@logFile", "driver[@name='vfio']", "driver[@name='kvm']", "teaming[@type='transient']"),
)
# What libvirt takes beside some types only.
_BESIDE_SOME = {
    "filterref": {"ethernet"},
    "bandwidth": {"direct", "ethernet"},
    "mtu": {"ethernet", "vhostuser"},
    "coalesce": {"ethernet"},
    "port": set(),
    "backend": set(),
    "tune": {"direct", "ethernet"},
    "target/@dev": {"direct", "ethernet"},
    "driver": {"direct", "ethernet", "vhostuser", "vdpa", "user"},
}


def _is_of(interface: Element, kind: str) -> bool:
    """Whether it is plugged into this. A running machine's definition tells the real connection (bridge, direct, a card
    of the host's) and the network beside it.
    """
    return _kind(interface) == kind


def _kind(interface: Element) -> str:
    source = interface.find("source")
    return "network" if source is not None and source.get("network") is not None else interface.get("type") or ""


def _connect(interface: Element, kind: str) -> Element:
    for old in interface.findall("source"):
        interface.remove(old)
    interface.set("type", kind)
    return interface


def _named(kind: str) -> tuple[Callable[[Element], str | None], Callable[[Element, str], None]]:
    """Of a network or a bridge: its name is all there is to say."""

    def get(interface: Element) -> str | None:
        return text_at(interface, f"source/@{kind}") if _is_of(interface, kind) else None

    def put(interface: Element, name: str) -> None:
        etree.SubElement(_connect(interface, kind), "source").set(kind, name)

    return get, put


def _joined(name: str, kind: str, said: Declared) -> Field:
    """Of any other: what it says is at places that mean this only beside its type."""
    fields = completed(said, _BY_CODE.get(name, ()))

    def get(interface: Element) -> NewSpec | None:
        return read(fields, interface) if _is_of(interface, kind) else None

    def put(interface: Element, wanted: NewSpec) -> None:
        if not _is_of(interface, kind):
            _connect(interface, kind)
        if kind == "vhostuser":
            child_at(interface, "source").set("type", "unix")
            if "reconnect" in wanted:
                child_at(interface, "source/reconnect").set("enabled", "yes")
        write(fields, interface, wanted)

    def same(wanted: NewSpec, found: NewSpec | None) -> bool:
        return found is not None and not differences(fields, wanted, found)[0]

    leaving = (*_OF_ONE_CONNECTION, *(part for part, kinds in _BESIDE_SOME.items() if kind not in kinds))
    gone = Bound((*leaving, *_OF_OTHER_TYPES.parts), lambda _wanted, interface: _is_of(interface, kind))
    return bind(name, get=get, put=put, same=same, bound=(gone,), effect=Effect.NEXT_BOOT)


def _card(interface: Element) -> str | None:
    address = interface.find("source/address")
    return None if address is None or address.get("type") != "pci" else pci_text(address)


def _put_card(interface: Element, text: str) -> None:
    put_pci(child_at(interface, "source/address"), text)


def _same_card(wanted: str, found: str | None) -> bool:
    return wanted.lower() == found


def _is_passt(interface: Element) -> bool:
    return text_at(interface, "backend/@type") == "passt"


def _put_passt(interface: Element, wanted: bool) -> None:
    backend = child_at(interface, "backend")
    if wanted:
        backend.set("type", "passt")
    else:
        interface.remove(backend)


_BY_CODE = {
    "user": (Field("passt", effect=Effect.NEXT_BOOT, get=_is_passt, put=_put_passt),),
    "hostdev": (Field("address", effect=Effect.NEXT_BOOT, get=_card, put=_put_card, same=_same_card),),
}
_get_network, _put_network = _named("network")
_get_bridge, _put_bridge = _named("bridge")

CONNECTED: Final[tuple[Field, ...]] = (
    bind("network", get=_get_network, put=_put_network, bound=(never_beside(*_OF_ONE_CONNECTION), _OF_OTHER_TYPES)),
    bind("bridge", get=_get_bridge, put=_put_bridge, bound=(_OF_BRIDGES, _OF_OTHER_TYPES)),
    *(_joined(name, kind, said) for name, (kind, said) in CONNECTIONS.items()),
)
_BY_NAME = {field.name: field for field in CONNECTED}


def same_connection(item: LoweredInterface, found: LoweredInterface) -> bool:
    """Whether an interface is plugged into what is declared of one."""
    wanted = next((name for name in (*NAMED, *CONNECTIONS) if item.get(name) is not None), "")
    return bool(wanted) and _BY_NAME[wanted].equal(item.get(wanted), found.get(wanted))
