"""Every sort of Network spec, for laws. What is valid isn't decided here: each one has to pass validation first."""

from __future__ import annotations

import ipaddress
from typing import Any

from hypothesis import strategies as st

HOST_NAMES = st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,12}[a-z0-9]", fullmatch=True)
INTERFACES = st.from_regex(r"[a-z][a-z0-9]{1,14}", fullmatch=True)
ADDRESSES = st.ip_addresses().filter(lambda address: not (address.is_unspecified or address.is_multicast)).map(str)


@st.composite
def macs(draw: st.DrawFn) -> str:
    octets = [draw(st.integers(0, 127)) * 2, *draw(st.binary(min_size=5, max_size=5))]
    text = ":".join(f"{octet:02x}" for octet in octets)
    return text.upper() if draw(st.booleans()) else text


@st.composite
def subnets(draw: st.DrawFn) -> ipaddress.IPv4Network:
    prefix = draw(st.integers(8, 29))
    inside = draw(st.integers(0, (1 << 24) - 1))
    return ipaddress.IPv4Network((int(ipaddress.IPv4Address("10.0.0.0")) + inside, prefix), strict=False)


@st.composite
def dhcp(draw: st.DrawFn, subnet: ipaddress.IPv4Network) -> dict[str, Any]:
    places = st.integers(2, subnet.num_addresses - 2)
    found: dict[str, Any] = {}
    if draw(st.booleans()):
        start = draw(places)
        end = draw(st.integers(start, min(subnet.num_addresses - 2, start | 0xFFFF)))
        found |= {"start": str(subnet[start]), "end": str(subnet[end])}
    if draw(st.booleans()):
        addresses = draw(st.lists(places, unique=True, max_size=4))
        found["hosts"] = []
        taken = draw(st.lists(macs(), min_size=len(addresses), max_size=len(addresses), unique_by=str.lower))
        names = draw(st.lists(HOST_NAMES, min_size=len(addresses), max_size=len(addresses), unique=True))
        for place, mac, name in zip(addresses, taken, names, strict=True):
            host = {"mac": mac, "ip": str(subnet[place])}
            found["hosts"].append(host | ({"name": name} if draw(st.booleans()) else {}))
    if draw(st.booleans()):
        found["enabled"] = bool(found.get("start") or found.get("hosts")) or draw(st.booleans())
    return found


@st.composite
def dns(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.integers(0, 4)) == 0:
        return {"enabled": False}
    found: dict[str, Any] = {"enabled": True} if draw(st.booleans()) else {}
    if draw(st.booleans()):
        found["forwarders"] = draw(st.lists(ADDRESSES, unique=True, max_size=3))
    if draw(st.booleans()):
        addresses = draw(st.lists(ADDRESSES, unique=True, max_size=3))
        names = draw(st.lists(HOST_NAMES, min_size=2 * len(addresses), max_size=2 * len(addresses), unique=True))
        found["hosts"] = [
            {"ip": address, "hostnames": names[2 * i : 2 * i + draw(st.integers(1, 2))]}
            for i, address in enumerate(addresses)
        ]
    return found


@st.composite
def own_bridges(
    draw: st.DrawFn, mode: str | None = None, subnet: ipaddress.IPv4Network | None = None
) -> dict[str, Any]:
    """Networks with a bridge that libvirt makes: nat and isolated."""
    spec: dict[str, Any] = {"mode": mode or draw(st.sampled_from(["nat", "isolated"]))}
    chosen = subnet or draw(st.none() | subnets())
    if chosen is not None:
        spec["subnet"] = str(chosen)
        if draw(st.booleans()):
            spec["dhcp"] = draw(dhcp(chosen))
    elif draw(st.booleans()):
        spec["dhcp"] = {"enabled": draw(st.booleans())}
        if "dhcp" not in spec and draw(st.booleans()):
            spec["gateway"] = str(chosen[draw(st.integers(1, chosen.num_addresses - 2))])
    if draw(st.booleans()):
        spec["dns"] = draw(dns())
    if draw(st.booleans()):
        spec["domain"] = draw(HOST_NAMES)
    return spec


def host_bridges() -> st.SearchStrategy[dict[str, Any]]:
    """Networks that join one of the host's."""
    return st.one_of(
        st.builds(lambda name: {"mode": "bridge", "bridge": name}, INTERFACES),
        st.builds(lambda name: {"mode": "bridge", "interface": name}, INTERFACES),
        st.builds(
            lambda name, tag: {"mode": "bridge", "interface": name, "vlan": tag}, INTERFACES, st.integers(1, 4094)
        ),
    )


def networks() -> st.SearchStrategy[dict[str, Any]]:
    """All of them."""
    return own_bridges() | host_bridges()
