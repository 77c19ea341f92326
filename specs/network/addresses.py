"""The IPv4 addresses of a network in libvirt's XML: its subnet, and what DHCP hands out of it.

One `<ip>` holds both, and moving the subnet moves what lies in it, so the binds of both are here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from lxml import etree

from specs import canonical
from specs.binding import Bind, Element, Items
from specs.codecs import ADDRESS, MAC
from specs.declared_binds import binder
from specs.network.fields import SPEC
from specs.network.subnet import gateway, whole_range
from specs.problem import Unrenderable

if TYPE_CHECKING:
    from specs.network.spec import DhcpHost, LoweredNetwork

bind = binder(SPEC)
bind_host = binder(SPEC["dhcp"]["hosts"])


def ipv4(root: Element) -> Element | None:
    """The `<ip>` that a spec speaks of: the first IPv4 one. Others, and IPv6, pass through."""
    return next((ip for ip in root.iterfind("ip") if ip.get("family", "ipv4") == "ipv4"), None)


def ranges(root: Element) -> list[tuple[str, str]]:
    """Every DHCP range of the IPv4 network as (first, last address); the first one is the declared one."""
    ip = ipv4(root)
    found = [] if ip is None else ip.findall("dhcp/range")
    return [(each.get("start") or "", each.get("end") or "") for each in found]


def _network_of(ip: Element) -> ipaddress.IPv4Network | None:
    address = ip.get("address") or ""
    try:
        size = ip.get("prefix") or ip.get("netmask") or _class_prefix(address)
        return ipaddress.IPv4Network(f"{address}/{size}", strict=False)
    except ValueError:
        return None


def _class_prefix(address: str) -> int:
    """The prefix that libvirt takes for an address without one: that of its historic class."""
    first = int(ipaddress.IPv4Address(address)) >> 24
    return 8 if first < 128 else 16 if first < 192 else 24


def _subnet(root: Element) -> str | None:
    ip = ipv4(root)
    network = None if ip is None else _network_of(ip)
    return None if network is None else str(network)


def _put_subnet(root: Element, value: str) -> None:
    """Move the network; what DHCP would hand out of the old subnet goes, because libvirt or its guests can't use it."""
    subnet = ipaddress.IPv4Network(value)
    ip = ipv4(root)
    if ip is None:
        add_ip(root, subnet, dhcp=True)
        return
    ip.attrib.pop("netmask", "")
    ip.set("prefix", str(subnet.prefixlen))
    if not _usable(ip.get("address"), subnet):
        _put_gateway(root, str(gateway(subnet)))
    _drop_lost_routes(root)
    dhcp = ip.find("dhcp")
    if dhcp is None:
        return
    had_range = dhcp.find("range") is not None
    for entry in (*dhcp.findall("range"), *dhcp.findall("host")):
        addresses = [entry.get(key) for key in ("start", "end", "ip") if entry.get(key)]
        if not all(_usable(address, subnet) for address in addresses):
            dhcp.remove(entry)
    if had_range and dhcp.find("range") is None:
        _add_range(dhcp, subnet)


def _usable(address: str | None, subnet: ipaddress.IPv4Network) -> bool:
    """True for what a machine may have: libvirt refuses a range with the subnet's own or its broadcast address."""
    try:
        found = ipaddress.IPv4Address(address or "")
    except ValueError:
        return False
    return found in subnet and found not in (subnet.network_address, subnet.broadcast_address)


def _gateway(root: Element) -> str | None:
    ip = ipv4(root)
    return None if ip is None else canonical.address(ip.get("address") or "")


def _put_gateway(root: Element, address: str) -> None:
    """The host's own address; whoever boots over the network from there finds it under the new one."""
    ip = ipv4(root)
    if ip is None:
        raise Unrenderable("A gateway lies in a subnet, and the network has none; declare its `subnet`.")
    for server in ip.findall("dhcp/bootp"):
        if server.get("server") == ip.get("address"):
            server.set("server", address)
    ip.set("address", address)


def gateway_after(config: LoweredNetwork, subnet: str) -> str | None:
    """Where the gateway of a network goes that gets another subnet and declares none, if somebody has to be told.

    One that still fits stays, and that the first address becomes the new subnet's first goes without saying.
    """
    before, found = config.get("subnet"), config.get("gateway")
    if not before or not found or before == subnet:
        return None
    new = ipaddress.IPv4Network(subnet)
    if _usable(found, new) or found == str(gateway(ipaddress.IPv4Network(before))):
        return None
    return str(gateway(new))


def _drop_lost_routes(root: Element) -> None:
    """Static routes over a router that the network can't reach any more; libvirt refuses them."""
    reachable = [network for ip in root.iterfind("ip") if (network := _network_of(ip)) is not None]
    for route in root.findall("route"):
        router = route.get("gateway") or ""
        if route.get("family", "ipv4") == "ipv4" and not any(_usable(router, network) for network in reachable):
            root.remove(route)


def add_ip(root: Element, subnet: ipaddress.IPv4Network, address: str | None = None, *, dhcp: bool) -> None:
    """Give a network without addresses a subnet, and with `dhcp` a server that hands all of it out."""
    address = address or str(gateway(subnet))
    ip = etree.SubElement(root, "ip", {"address": address, "prefix": str(subnet.prefixlen)})
    if dhcp:
        _add_range(etree.SubElement(ip, "dhcp"), subnet)


def _add_range(dhcp: Element, subnet: ipaddress.IPv4Network) -> Element:
    ip = dhcp.getparent()
    start, end = whole_range(subnet, None if ip is None else ip.get("address"))
    element = etree.Element("range", {"start": start, "end": end})
    dhcp.insert(0, element)
    return element


def _dhcp(root: Element) -> tuple[Element, ipaddress.IPv4Network]:
    """The `<dhcp>` of the IPv4 network, made when it is missing, and the subnet."""
    ip = ipv4(root)
    network = None if ip is None else _network_of(ip)
    if ip is None or network is None:
        raise Unrenderable("DHCP needs a subnet, and the network has none; declare its `subnet`.")
    dhcp = ip.find("dhcp")
    return (etree.SubElement(ip, "dhcp") if dhcp is None else dhcp), network


def _dhcp_enabled(root: Element) -> bool | None:
    ip = ipv4(root)
    if ip is None:
        return None
    return ip.find("dhcp/range") is not None or ip.find("dhcp/host") is not None


def _put_dhcp_enabled(root: Element, value: bool) -> None:
    if value:
        dhcp, subnet = _dhcp(root)
        _add_range(dhcp, subnet)
    elif (ip := ipv4(root)) is not None:
        for dhcp in ip.findall("dhcp"):
            ip.remove(dhcp)


def _same_switch(declared: bool, observed: bool | None) -> bool:
    return declared is bool(observed)


def _range_edge(edge: str) -> tuple[Callable[[Element], str | None], Callable[[Element, str], None]]:
    def get(root: Element) -> str | None:
        found = ranges(root)
        return found[0][("start", "end").index(edge)] if found else None

    def put(root: Element, value: str) -> None:
        dhcp, subnet = _dhcp(root)
        element = dhcp.find("range")
        (_add_range(dhcp, subnet) if element is None else element).set(edge, value)

    return get, put


def _dhcp_hosts(root: Element) -> Iterator[Element]:
    """Fixed addresses by MAC; those by name or client id can't be declared and so aren't anybody's extra."""
    ip = ipv4(root)
    return (each for each in (() if ip is None else ip.iterfind("dhcp/host")) if each.get("mac"))


def _same_name(declared: str, observed: str | None) -> bool:
    return observed is not None and canonical.host_name(declared) == canonical.host_name(observed)


def _insert_dhcp_host(root: Element, item: DhcpHost, declared: LoweredNetwork) -> Element:
    dhcp, subnet = _dhcp(root)
    if len(dhcp) == 0 and declared["dhcp"].get("enabled"):
        _add_range(dhcp, subnet)
    element = dhcp_host(item)
    dhcp.append(element)
    return element


def dhcp_host(item: DhcpHost) -> Element:
    """The `<host>` of one fixed address."""
    return etree.Element("host", {key: item[key] for key in ("mac", "name", "ip") if item.get(key)})


_start, _put_start = _range_edge("start")
_end, _put_end = _range_edge("end")

DHCP_HOSTS = Items(
    name="dhcp/hosts",
    elements=_dhcp_hosts,
    parent="ip/dhcp",
    fields=(
        bind_host("mac", "@mac", codec=MAC),
        bind_host("ip", "@ip", codec=ADDRESS),
        bind_host("name", "@name", same=_same_name),
    ),
    identity=lambda item: item["mac"],
    label=lambda item: str(item["mac"]),
    build=dhcp_host,
    insert=_insert_dhcp_host,
    complete=True,
)

# In an order in which each finds what it needs: DHCP lies inside the subnet, and its hosts may be all that it has.
ADDRESS_BINDS: tuple[Bind, ...] = (
    bind("subnet", get=_subnet, put=_put_subnet),
    bind("gateway", get=_gateway, put=_put_gateway),
    DHCP_HOSTS,
    bind("dhcp/enabled", get=_dhcp_enabled, put=_put_dhcp_enabled, same=_same_switch),
    bind("dhcp/start", get=_start, put=_put_start),
    bind("dhcp/end", get=_end, put=_put_end),
)
