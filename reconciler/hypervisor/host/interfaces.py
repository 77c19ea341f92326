"""Lists the host's network interfaces: what libvirt knows, and where the host is this machine, what the kernel adds.

Which of them are worth offering to somebody is for whoever asks.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterator
from dataclasses import replace

import libvirt

from reconciler.errors import Unsupported
from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.failure import is_lost, is_not_found, is_unsupported, message
from reconciler.hypervisor.host.kernel_interfaces import kernel_interfaces
from reconciler.locality import is_here
from reconciler.observed.answers import HostInterface
from specs.binding import Element, parse

log = logging.getLogger("onggi.hypervisor")

_TYPES = {"ethernet": "nic", "bond": "bonding", "bridge": "bridge", "vlan": "vlan"}
_LOOPBACK = "lo"


def host_interfaces(connections: Connections) -> tuple[HostInterface, ...]:
    """All of them, by name. One that can't be read is left out, and logged. Raises OnggiError."""
    listed: dict[str, HostInterface] | None = {}
    with connections.lend("list the network interfaces") as connection:
        here = connection.getType() != "TEST" and is_here(connections.uri)
        try:
            listed = {each.name: each for each in _listed(connection)}
        except libvirt.libvirtError as error:
            if not is_unsupported(error):
                raise
            listed = None
    known = kernel_interfaces() if here else {}
    if listed is None:
        if not known:
            raise Unsupported("this connection can't list network interfaces; look on the host itself.")
        return tuple(known.values())
    found = {name: _joined(each, known.get(name)) for name, each in listed.items()}
    return tuple(found[name] for name in sorted(found))


def _listed(connection: libvirt.virConnect) -> Iterator[HostInterface]:
    for interface in connection.listAllInterfaces(0):
        try:
            root = parse(interface.XMLDesc(0))
            yield _one(root, active=bool(interface.isActive()))
            yield from _inside(root)
        except libvirt.libvirtError as error:
            if connection.isAlive() != 1 or is_lost(error):
                raise
            if not is_not_found(error):  # taken away since it was listed
                log.warning("the interface %s can't be read: %s", interface.name(), message(error))


def _inside(root: Element) -> Iterator[HostInterface]:
    """The ports of a bridge and the slaves of a bond: libvirt tells of them there alone."""
    for path in ("bridge/interface[@type]", "bond/interface[@type]"):
        for part in root.iterfind(path):
            yield _one(part, active=part.find("link[@state='up']") is not None)
            yield from _inside(part)


def _one(root: Element, *, active: bool) -> HostInterface:
    name = root.get("name") or ""
    kind = _TYPES.get(root.get("type") or "", "unknown")
    address = root.find("protocol[@family='ipv4']/ip")
    return HostInterface(
        name=name,
        type="unknown" if name == _LOOPBACK else kind,
        ipaddr=(address.get("address") or "") if address is not None else "",
        netmask=_netmask(address.get("prefix") or "") if address is not None else "",
        active=active,
        parts=tuple(sorted(each.get("name") or "" for each in root.iterfind(f"{root.get('type')}/interface"))),
    )


def _joined(listed: HostInterface, known: HostInterface | None) -> HostInterface:
    """What libvirt lists, with what only the kernel of this machine can tell."""
    if known is None:
        return listed
    return replace(
        listed,
        type=known.type if listed.type in ("nic", "unknown") else listed.type,
        ipaddr=listed.ipaddr or known.ipaddr,
        netmask=listed.netmask or known.netmask,
        active=listed.active or known.active,
        parts=tuple(sorted({*listed.parts, *known.parts})),
    )


def _netmask(prefix: str) -> str:
    try:
        return str(ipaddress.IPv4Network(f"0.0.0.0/{prefix}").netmask)
    except ValueError:
        return ""
