"""One machine at this moment, for who asks about it by name: its state, its addresses, where its serial log is.

A snapshot of the whole host would say the same of its state, and nothing of the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Any

import libvirt

from reconciler.errors import NotFound
from reconciler.hypervisor.connection import Connections, Lane
from reconciler.hypervisor.lookup import find
from reconciler.hypervisor.virtualmachine.states import state_and_reason
from reconciler.observed.answers import GuestAddress
from specs.binding import parse
from specs.reference import Ref

# In the order in which they are believed: what dnsmasq gave, what the guest itself says, what the host has heard.
SOURCES = {
    "lease": libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE,
    "agent": libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT,
    "arp": libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP,
}


def machine_state(connections: Connections, ref: Ref) -> str:
    """running, paused, shutoff, ... Raises NotFound."""
    with connections.lend(f"look at {ref}") as connection:
        return state_and_reason(*_found(connection, ref).state())[0]


def guest_addresses(connections: Connections, ref: Ref, sources: Collection[str]) -> tuple[GuestAddress, ...]:
    """Each address once, from the first source that knows it; loopback and link-local ones are left out.

    A source that can't say (no lease, no agent, another driver) says nothing. Only a guest's agent can keep the caller
    waiting, for as long as it likes. Raises NotFound.
    """
    lane = Lane.GUEST if "agent" in sources else Lane.QUICK
    with connections.lend(f"look for the addresses of {ref}", lane) as connection:
        domain = _found(connection, ref)
        networks = dict(_networks(domain.XMLDesc()))
        found: dict[str, GuestAddress] = {}
        for name, source in SOURCES.items():
            if name not in sources:
                continue
            told: dict[str, Any] = {}
            with suppress(libvirt.libvirtError):  # a lost connection shows with the next call
                told = domain.interfaceAddresses(source) or {}
            for device in told.values():
                mac = str(device.get("hwaddr") or "").lower()
                for each in device.get("addrs") or ():
                    address = str(each["addr"])
                    if mac in networks and not address.lower().startswith(("127.", "169.254.", "::1", "fe80:")):
                        found.setdefault(address, GuestAddress(address, int(each["prefix"]), networks[mac], mac, name))
        return tuple(found.values())


def serial_log(connections: Connections, ref: Ref) -> str:
    """The file on the hypervisor's machine that has its serial line; empty for none. Raises NotFound."""
    with connections.lend(f"look at {ref}") as connection:
        root = parse(_found(connection, ref).XMLDesc())
    for device in ("serial", "console"):
        for log in root.iterfind(f"devices/{device}/log"):
            if file := log.get("file"):
                return str(file)
    return ""


def _found(connection: libvirt.virConnect, ref: Ref) -> Any:
    domain = find(connection, ref)
    if domain is None:
        raise NotFound(f"{ref} isn't on this host; `onggi get vm` lists those that are declared.")
    return domain


def _networks(xml: str) -> Iterator[tuple[str, str]]:
    """The MAC of each of its interfaces, and the network or bridge that it is on."""
    for interface in parse(xml).iterfind("devices/interface"):
        mac, source = interface.find("mac"), interface.find("source")
        if mac is not None:
            on = "" if source is None else source.get("network") or source.get("bridge") or source.get("dev") or ""
            yield str(mac.get("address")).lower(), on
