"""The IPv4 addresses of a network in libvirt's XML: its subnet, and what DHCP hands out of it.

One `<ip>` holds both, and moving the subnet moves what lies in it, so the binds of both are here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lxml import etree

from specs import canonical
from specs.binding import (
    Bind,
    Element,
    Field,
    Items,
    drop_attributes,
    set_text_at,
    text_at,
    write_item,
)
from specs.codecs import INTEGER, TEXT, YES_NO, Codec
from specs.declared_binds import binder, completed
from specs.effect import Effect
from specs.network.fields import SPEC
from specs.network.model import NO_SUBNET
from specs.network.subnet import gateway, whole_range
from specs.plain import Spec
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


def _same_subnet(declared: str, observed: str | None) -> bool:
    return observed is None if declared == NO_SUBNET else declared == observed


def _put_subnet(root: Element, value: str) -> None:
    """Move the network; what DHCP would hand out of the old subnet goes, because libvirt or its guests can't use it."""
    ip = ipv4(root)
    if value == NO_SUBNET:
        if ip is not None:
            root.remove(ip)
            _drop_lost_routes(root)
        return
    subnet = ipaddress.IPv4Network(value)
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
    if not before or not found or subnet in (before, NO_SUBNET):
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
    """Fixed addresses of the first subnet."""
    ip = ipv4(root)
    return iter(()) if ip is None else ip.iterfind("dhcp/host")


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
    made = etree.Element("host", {key: str(item[key]) for key in ("mac", "name", "ip") if item.get(key)})
    write_item(DHCP_HOSTS, made, item)
    return made


def _who(item: Mapping[str, Any]) -> str:
    """Whose a fixed address is."""
    return str(item.get("mac") or item.get("name") or item.get("ip"))


class _Hosts(Items):
    """A complete list of the addresses that are for a MAC address; those that others gave to names alone stay."""

    def removal(self, item: Spec, managed: frozenset[str], *, listed: bool) -> str | None:
        known = replace(self, complete=self.complete and "mac" in item)
        return Items.removal(known, item, managed, listed=listed)


def _dhcp_ranges(root: Element) -> Iterator[Element]:
    ip = ipv4(root)
    return iter(()) if ip is None else ip.iterfind("dhcp/range")


def dhcp_range(item: Mapping[str, Any]) -> Element:
    """The `<range>` of one range."""
    made = etree.Element("range")
    write_item(DHCP_RANGES, made, item)
    return made


def _insert_range(root: Element, item: Mapping[str, Any], _declared: LoweredNetwork) -> Element:
    dhcp, _ = _dhcp(root)
    element = dhcp_range(item)
    dhcp.insert(len(dhcp.findall("range")), element)
    return element


def _of_first(name: str, path: str, *, absent: Any = None, codec: Codec = TEXT) -> Field:
    """A field of the first subnet's element."""

    def get(root: Element) -> Any:
        ip = ipv4(root)
        text = None if ip is None else text_at(ip, path)
        return None if text is None else codec.decode(text)

    def put(root: Element, value: Any) -> None:
        if (ip := ipv4(root)) is None:
            raise Unrenderable(f"`{name}` is about a subnet, and the network has none; declare its `subnet`.")
        set_text_at(ip, path, codec.encode(value))

    return bind(name, get=get, put=put, missing=absent)


def _others(root: Element) -> Iterator[Element]:
    """The addresses beyond the first subnet."""
    first = ipv4(root)
    return (each for each in root.iterfind("ip") if each is not first)


def _prefix(ip: Element) -> int | None:
    if (prefix := ip.get("prefix")) is not None:
        return INTEGER.decode(prefix)  # type: ignore[no-any-return]
    network = _network_of(ip) if ip.get("family", "ipv4") == "ipv4" else None
    return None if network is None else network.prefixlen


def _put_prefix(ip: Element, prefix: int) -> None:
    drop_attributes(ip, "netmask")
    ip.set("prefix", str(prefix))


def _further(item: Mapping[str, Any]) -> Element:
    """A new `<ip>`; one of IPv6 has to say that it is."""
    made = etree.Element("ip", {"family": "ipv6"} if ":" in item["address"] else {})
    write_item(FURTHER, made, item)
    return made


_start, _put_start = _range_edge("start")
_end, _put_end = _range_edge("end")

DHCP_HOSTS = _Hosts(
    name="dhcp/hosts",
    elements=_dhcp_hosts,
    parent="ip/dhcp",
    fields=completed(SPEC["dhcp"]["hosts"].item or SPEC, (bind_host("name", "@name", same=_same_name),)),
    identity=_who,
    label=_who,
    build=dhcp_host,
    insert=_insert_dhcp_host,
    complete=True,
)

DHCP_RANGES = Items(
    name="dhcp/ranges",
    elements=_dhcp_ranges,
    parent="ip/dhcp",
    fields=completed(SPEC["dhcp"]["ranges"].item or SPEC),
    identity=lambda item: (item["start"], item["end"]),
    label=lambda item: f"{item['start']}-{item['end']}",
    build=dhcp_range,
    insert=_insert_range,
    complete=True,
)

FURTHER = Items(
    name="addresses",
    elements=_others,
    parent="",
    fields=completed(
        SPEC["addresses"].item or SPEC, (binder(SPEC["addresses"])("prefix", get=_prefix, put=_put_prefix),)
    ),
    identity=lambda item: item["address"],
    label=lambda item: str(item["address"]),
    build=_further,
    add_effect=Effect.NEXT_BOOT,
    remove_effect=Effect.NEXT_BOOT,
)

# In an order in which each finds what it needs: DHCP lies inside the subnet, and its hosts may be all that it has.
ADDRESS_BINDS: tuple[Bind, ...] = (
    bind("subnet", get=_subnet, put=_put_subnet, same=_same_subnet),
    bind("gateway", get=_gateway, put=_put_gateway),
    DHCP_HOSTS,
    bind("dhcp/enabled", get=_dhcp_enabled, put=_put_dhcp_enabled, same=_same_switch),
    bind("dhcp/start", get=_start, put=_put_start),
    bind("dhcp/end", get=_end, put=_put_end),
    DHCP_RANGES,
    _of_first("dhcp/bootp/file", "dhcp/bootp/@file"),
    _of_first("dhcp/bootp/server", "dhcp/bootp/@server"),
    _of_first("localPtr", "@localPtr", absent=False, codec=YES_NO),
    _of_first("tftp", "tftp/@root"),
    FURTHER,
)
