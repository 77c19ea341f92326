"""The shape of a Network's spec."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from specs import canonical
from specs.network.rules import check_further, check_names, check_ranges, check_wire
from specs.network.subnet import gateway, last_of_range
from specs.reference import Ref

if TYPE_CHECKING:
    from specs.network.spec import Dhcp, DhcpHost, Dns, LoweredNetwork, NetworkSpec

_LONGEST_PREFIX = 29  # room for a gateway and some machines
_SHORTEST_PREFIX = 8

# How a network with a bridge that libvirt makes may reach the outside.
FORWARDING_MODES = frozenset({"nat", "route", "open"})
OWN_BRIDGE_MODES = FORWARDING_MODES | {"isolated"}
NO_SUBNET = "none"

_SAME = {"mac": canonical.mac, "ip": canonical.address, "name": canonical.host_name}

_OF_DNS = ("forwarders", "domainForwarders", "hosts", "srv", "txt")

Broken = tuple[str, str]  # JSON pointer into the spec, sentence


def has_own_bridge(spec: NetworkSpec | LoweredNetwork) -> bool:
    """True for a network whose bridge libvirt makes when it starts, and takes away when it stops."""
    return spec.get("mode") in OWN_BRIDGE_MODES


def references(_name: str, _spec: NetworkSpec) -> Iterable[Ref]:
    """A network needs nothing that has a document."""
    return []


def check(_name: str, spec: NetworkSpec) -> Iterator[Broken]:
    """The rules that hold between fields. Relies on the shape that the schema asks for."""
    subnet: ipaddress.IPv4Network | None = None
    if spec.get("subnet", NO_SUBNET) != NO_SUBNET:
        answer = _subnet(spec["subnet"])
        if isinstance(answer, str):
            yield "/subnet", answer
            return
        subnet = answer
    own: ipaddress.IPv4Address | None = None if subnet is None else gateway(subnet)
    if "gateway" in spec:
        found = _host_address(spec["gateway"], subnet, None)
        if subnet is None:
            found = "A gateway needs a `subnet` that it lies in; add it."
        if isinstance(found, str):
            yield "/gateway", found
        own = None if isinstance(found, str) else found
    yield from _check_dhcp(spec.get("dhcp", {}), subnet, own)
    yield from _check_dns(spec.get("dns", {}))
    yield from check_names(spec)
    yield from check_further(spec, subnet)
    yield from check_wire(spec)


def _subnet(text: str) -> ipaddress.IPv4Network | str:
    """The subnet, or a sentence."""
    try:
        subnet = ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        return "This isn't an IPv4 subnet; write one such as 192.168.150.0/24."
    if not _SHORTEST_PREFIX <= subnet.prefixlen <= _LONGEST_PREFIX:
        return f"A subnet's prefix is from /{_SHORTEST_PREFIX} to /{_LONGEST_PREFIX}; write one such as {subnet[0]}/24."
    if str(subnet) != text:
        return f"This address lies inside a subnet; write the subnet itself: {subnet}."
    if subnet.is_loopback or subnet.is_multicast or subnet.is_reserved or subnet[0].is_unspecified:
        return f"Machines can't have addresses of {subnet}; write a private one such as 192.168.150.0/24."
    return subnet


def _check_dhcp(
    dhcp: Dhcp, subnet: ipaddress.IPv4Network | None, own: ipaddress.IPv4Address | None
) -> Iterator[Broken]:
    written = [key for key in ("start", "end", "ranges", "hosts") if dhcp.get(key)]
    if "ranges" in dhcp:
        if "start" in dhcp:
            yield "/dhcp/ranges", "`start` and `end` are a range already; write it into `ranges` too, and remove them."
        if not dhcp["ranges"] and not dhcp.get("hosts"):
            yield "/dhcp/ranges", "That hands out nothing at all; write a range, some `hosts`, or `enabled: false`."
        yield from check_ranges("/dhcp/ranges", dhcp["ranges"], subnet)
    if dhcp.get("enabled") is False and written:
        yield "/dhcp/enabled", f"DHCP is switched off, so `{written[0]}` has no meaning; remove one of the two."
    if written and subnet is None:
        yield "/dhcp", "DHCP addresses need a `subnet` that they lie in; add it."
    if ("start" in dhcp) != ("end" in dhcp):
        yield "/dhcp", "A DHCP range has a `start` and an `end`; write both, or none for the whole subnet."
    good: dict[str, ipaddress.IPv4Address] = {}
    for key in ("start", "end"):
        if key in dhcp:
            answer = _host_address(dhcp[key], subnet, own)
            if isinstance(answer, str):
                yield f"/dhcp/{key}", answer
            else:
                good[key] = answer
    if len(good) == 2 and good["start"] > good["end"]:
        yield "/dhcp/end", "The DHCP range ends before it starts; exchange `start` and `end`."
    elif len(good) == 2 and good["end"] > (last := last_of_range(good["start"])):
        yield "/dhcp/end", f"For libvirt a DHCP range that starts here can't go beyond {last}; end it there or before."
    yield from _check_dhcp_hosts(dhcp.get("hosts", ()), subnet, own)


def _check_dhcp_hosts(
    hosts: Iterable[DhcpHost], subnet: ipaddress.IPv4Network | None, own: ipaddress.IPv4Address | None
) -> Iterator[Broken]:
    taken: dict[tuple[str, str], int] = {}
    for index, host in enumerate(hosts):
        answer = _host_address(host["ip"], subnet, own) if "ip" in host else None
        if isinstance(answer, str):
            yield f"/dhcp/hosts/{index}/ip", answer
        if host.get("name", "").startswith("_"):
            yield f"/dhcp/hosts/{index}/name", "libvirt takes no DHCP host name that begins with `_`; choose another."
        for key in ("mac", "ip", "name"):
            if key in host and (first := taken.setdefault((key, _SAME[key](host[key])), index)) != index:
                sentence = f"Item {first + 1} of `hosts` has the same `{key}`; give each its own."
                yield f"/dhcp/hosts/{index}/{key}", sentence


def _host_address(
    text: str, subnet: ipaddress.IPv4Network | None, own: ipaddress.IPv4Address | None
) -> ipaddress.IPv4Address | str:
    """An address that a machine may have, or a sentence. `own` is the gateway's, which none may."""
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        return "This isn't an IPv4 address; write one such as 192.168.150.10."
    if subnet is None:
        return address
    first, last = subnet[2 if own == subnet[1] else 1], subnet[-3 if own == subnet[-2] else -2]
    if address not in subnet:
        return f"{address} isn't in the subnet {subnet}; write an address from {first} to {last}."
    if address in (subnet[0], subnet[-1], own):
        what = "the gateway's" if address == own else "the subnet's own"
        return f"{address} is {what} address; write one from {first} to {last}."
    return address


def _check_dns(dns: Dns) -> Iterator[Broken]:
    places = [(f"/dns/forwarders/{index}", text) for index, text in enumerate(dns.get("forwarders", ()))]
    places += [(f"/dns/hosts/{index}/ip", host["ip"]) for index, host in enumerate(dns.get("hosts", ()))]
    for pointer, text in places:
        try:
            ipaddress.ip_address(text)
        except ValueError:
            yield pointer, "This isn't an IP address; write one such as 192.168.150.1 or fd00::1."
    asked: dict[str, int] = {}
    for index, text in enumerate(dns.get("forwarders", ())):
        if (first := asked.setdefault(canonical.address(text), index)) != index:
            yield f"/dns/forwarders/{index}", f"Item {first + 1} of `forwarders` is this address already; remove one."
    taken: dict[str, int] = {}
    for index, host in enumerate(dns.get("hosts", ())):
        if (first := taken.setdefault(canonical.address(host["ip"]), index)) != index:
            sentence = f"Item {first + 1} of `hosts` has the same `ip`; put its names together."
            yield f"/dns/hosts/{index}/ip", sentence
    # libvirt finds a host in a running network by any of its names, and refuses a second one that has it.
    named: dict[str, int] = {}
    for index, host in enumerate(dns.get("hosts", ())):
        for place, name in enumerate(host["hostnames"]):
            if (first := named.setdefault(canonical.host_name(name), index)) != index:
                sentence = f"Item {first + 1} of `hosts` has the name {name} too; a name belongs to one address."
                yield f"/dns/hosts/{index}/hostnames/{place}", sentence
    if dns.get("enabled") is False and (written := [key for key in _OF_DNS if dns.get(key)]):
        yield "/dns/enabled", f"DNS is switched off, so `{written[0]}` has no meaning; remove one of the two."
