"""Fixed addresses of a machine's interfaces: what may be written, and the network-config by which cloud-init sets them.

An interface is told to the guest by its MAC address, so that neither its place nor the guest's name for it matters.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from specs.virtualmachine.spec import CloudInit, Interface, VirtualMachineSpec

Broken = tuple[str, str]  # JSON pointer into the spec, sentence
Address = ipaddress.IPv4Interface | ipaddress.IPv6Interface

_EVERYWHERE = {4: "0.0.0.0/0", 6: "::/0"}  # the word `default` came later: older releases of cloud-init don't know it
_LONGEST = {4: 31, 6: 127}  # networks so small have no address that is the network's own


def check_addresses(spec: VirtualMachineSpec) -> Iterator[Broken]:
    """The rules of `addresses`, `gateways` and `nameservers`. Relies on the shape that the schema asks for."""
    cloud_init = spec.get("cloudInit")
    seen: dict[object, str] = {}
    for index, interface in enumerate(spec.get("interfaces", ())):
        place = f"/interfaces/{index}"
        networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        for position, text in enumerate(interface.get("addresses", ())):
            pointer = f"{place}/addresses/{position}"
            address = _address(text)
            if isinstance(address, str):
                yield pointer, address
                continue
            networks.append(address.network)
            if (first := seen.setdefault(address.ip, pointer)) != pointer:
                yield pointer, f"The machine has this address already ({first[1:]}); remove one of them."
        yield from _check_gateways(place, interface.get("gateways", ()), networks)
        for position, text in enumerate(interface.get("nameservers", ())):
            if _ip(text) is None:
                yield f"{place}/nameservers/{position}", "This isn't an IP address; write one such as 192.168.122.1."
        yield from _check_teller(place, interface, cloud_init)


def _check_teller(place: str, interface: Interface, cloud_init: CloudInit | None) -> Iterator[Broken]:
    """Somebody has to tell the guest, and only one."""
    if not interface.get("addresses"):
        for key in ("gateways", "nameservers"):
            if interface.get(key):
                yield f"{place}/{key}", f"`{key}` go with `addresses`; add those, or remove this and leave it to DHCP."
    elif cloud_init is None:
        yield (
            f"{place}/addresses",
            "Only cloud-init can tell the guest its address, and the machine has no `cloudInit`; add `cloudInit: {}`, "
            "or give the interface a `mac` and reserve the address for it in the network's `dhcp.hosts`.",
        )
    elif "networkConfig" in cloud_init:
        yield (
            f"{place}/addresses",
            "`cloudInit.networkConfig` says how the guest's network is set up; write the address there, or remove it.",
        )


def _check_gateways(
    place: str, gateways: Sequence[str], networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]
) -> Iterator[Broken]:
    versions: set[int] = set()
    for position, text in enumerate(gateways):
        pointer, gateway = f"{place}/gateways/{position}", _ip(text)
        if gateway is None:
            yield pointer, "This isn't an IP address; write one such as 192.168.122.1."
            continue
        if gateway.version in versions:
            yield pointer, f"An interface has one gateway for IPv{gateway.version}; remove the others."
        versions.add(gateway.version)
        near = gateway.is_link_local or any(gateway in network for network in networks)
        if networks and not near:
            yield pointer, "No address of this interface is in the gateway's network; correct one of them."


def _address(text: str) -> Address | str:
    """An address with its network's length, or what is wrong with it."""
    try:
        address = ipaddress.ip_interface(text)
    except ValueError:
        return "This isn't an address; write one with its network's length, such as 192.168.122.10/24 or fd00::10/64."
    network = address.network
    if address.is_loopback or address.is_multicast or address.is_unspecified or getattr(address.ip, "scope_id", None):
        return f"A machine can't have the address {address.ip}; write one of its network."
    if network.prefixlen < _LONGEST[network.version]:
        if address.ip == network.network_address:
            return f"This is the address of the network {network} itself; write one inside it."
        if network.version == 4 and address.ip == network.broadcast_address:
            return f"This is the broadcast address of {network}; write one before it."
    return address


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def network_config(interfaces: Sequence[Interface], macs: Sequence[str]) -> str:
    """The network-config (version 2) of a machine whose interfaces have these MAC addresses, in the same order. Those
    without an address of their own go on asking DHCP, as they would without any network-config.
    """
    import yaml  # only a seed needs it

    # Named by set-name too: not every distribution's way of setting up a network can go by the MAC address alone.
    cards = {
        f"eth{place}": {"match": {"macaddress": mac}, "set-name": f"eth{place}", **_settings(interface)}
        for place, (interface, mac) in enumerate(zip(interfaces, macs, strict=True))
    }
    return yaml.safe_dump({"version": 2, "ethernets": cards}, sort_keys=False)


def _settings(interface: Interface) -> dict[str, Any]:
    found: dict[str, Any] = (
        {"optional": True} if interface.get("link") == "down" else {}
    )  # the boot doesn't wait for it
    if not interface.get("addresses"):
        return {"dhcp4": True, **found}
    found["addresses"] = [str(ipaddress.ip_interface(text)) for text in interface["addresses"]]
    if gateways := [ipaddress.ip_address(text) for text in interface.get("gateways", ())]:
        found["routes"] = [{"to": _EVERYWHERE[each.version], "via": str(each)} for each in gateways]
    if servers := [str(ipaddress.ip_address(text)) for text in interface.get("nameservers", ())]:
        found["nameservers"] = {"addresses": servers}
    return found
