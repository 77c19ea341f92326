"""What libvirt never takes of a network beyond its first subnet: judged from the document alone."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from specs.network.fields import MACVTAP_MODES
from specs.port_rules import Broken, check_bandwidth, check_vlan

if TYPE_CHECKING:
    from specs.network.spec import NetworkSpec

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_OWN: Final = ("nat", "route", "open", "isolated")
# In which modes the way out can be said so.
_FORWARD: Final[Mapping[str, tuple[str, ...]]] = {
    "interfaces": ("nat", "route", "bridge", *MACVTAP_MODES),
    "pf": ("passthrough", "hostdev"),
    "addresses": ("hostdev",),
    "driver": ("hostdev",),
    "managed": ("hostdev",),
    "nat": ("nat",),
}


def check_wire(spec: NetworkSpec) -> Iterator[Broken]:
    """Where its traffic goes, and what its ports are told."""
    mode = spec.get("mode", "")
    forward = spec.get("forward", {})
    for name in forward:
        if mode and mode not in _FORWARD[name]:
            yield f"/forward/{name}", f"That is for the mode {', '.join(_FORWARD[name])}; remove it, or change `mode`."
    ways = [name for name in ("interfaces", "pf", "addresses") if name in forward]
    if len(ways) > 1:
        yield f"/forward/{ways[1]}", f"`{ways[0]}` says already by what its traffic goes; remove one of the two."
    if mode in ("hostdev", *MACVTAP_MODES) and not ways:
        yield "/mode", f"A network of mode {mode} needs cards of the host; write `forward.interfaces` or `forward.pf`."
    if mode in ("nat", "route") and len(forward.get("interfaces", ())) > 1:
        yield "/forward/interfaces", f"With mode {mode} packets leave by one NIC; write that alone."
    yield from _check_nat(spec)
    if mode in _OWN:
        for name in ("virtualport", "switchVlan"):
            if name in spec:
                yield f"/{name}", f"The bridge that libvirt makes for mode {mode} knows no such thing; remove it."
    if "bandwidth" in spec:
        if mode in ("hostdev", *MACVTAP_MODES):
            yield "/bandwidth", f"libvirt has no bridge of mode {mode} on which it could count; remove it."
        yield from check_bandwidth("/bandwidth", spec["bandwidth"], floor=False)
    if "switchVlan" in spec:
        yield from check_vlan("/switchVlan", spec["switchVlan"])
    yield from _check_portgroups(spec)


def _check_nat(spec: NetworkSpec) -> Iterator[Broken]:
    nat = spec.get("forward", {}).get("nat", {})
    if (addresses := nat.get("address")) is not None:
        first, last = (_address(addresses[edge]) for edge in ("start", "end"))
        if first is None or last is None:
            yield "/forward/nat/address", "These aren't IPv4 addresses; write such as 192.0.2.10."
        elif int(first) > int(last):
            yield "/forward/nat/address/end", "The range ends before it starts; exchange `start` and `end`."
    if (ports := nat.get("port")) is not None and ports["start"] > ports["end"]:
        yield "/forward/nat/port/end", "The range ends before it starts; exchange `start` and `end`."
    if nat.get("ipv6") and not any(":" in each["address"] for each in spec.get("addresses", ())):
        yield "/forward/nat/ipv6", "The network has no address of IPv6 to translate; add one to `addresses`."


def _check_portgroups(spec: NetworkSpec) -> Iterator[Broken]:
    groups = spec.get("portgroups", ())
    seen: dict[str, int] = {}
    for index, group in enumerate(groups):
        place = f"/portgroups/{index}"
        if (first := seen.setdefault(group["name"], index)) != index:
            yield f"{place}/name", f"Item {first + 1} of `portgroups` has this name already; choose another."
        if "bandwidth" in group:
            yield from check_bandwidth(f"{place}/bandwidth", group["bandwidth"], floor=True)
        if "vlan" in group:
            yield from check_vlan(f"{place}/vlan", group["vlan"])
        for name in ("vlan", "virtualport"):
            if name in group and spec.get("mode") in _OWN:
                yield f"{place}/{name}", "The bridge that libvirt makes knows no such thing; remove it."
    defaults = [index for index, group in enumerate(groups) if group.get("default")]
    for index in defaults[1:]:
        yield f"/portgroups/{index}/default", "Another group is the default already; leave it at one."


def check_further(spec: NetworkSpec, subnet: ipaddress.IPv4Network | None) -> Iterator[Broken]:
    """Addresses beyond the first subnet, and the routes through all of them."""
    networks: list[Network] = [] if subnet is None else [subnet]
    for index, item in enumerate(spec.get("addresses", ())):
        place = f"/addresses/{index}"
        address = _address(item["address"])
        if address is None:
            yield f"{place}/address", "This isn't an IP address; write one such as fd00:150::1."
            continue
        if item["prefix"] > address.max_prefixlen:
            yield f"{place}/prefix", f"A prefix of IPv{address.version} is at most {address.max_prefixlen}; correct it."
            continue
        network = ipaddress.ip_network(f"{address}/{item['prefix']}", strict=False)
        if (other := _overlapping(network, networks)) is not None:
            yield f"{place}/address", f"{network} overlaps {other}, which the network has already; choose another."
        networks.append(network)
        yield from _check_handed_out(place, item.get("dhcp", {}), network, address)
        if "bootp" in item.get("dhcp", {}) and address.version == 6:
            yield f"{place}/dhcp/bootp", "libvirt's DHCP server tells of a boot file with IPv4 only; remove it."
    yield from _check_routes(spec, networks)
    if spec.get("mode") in ("nat", "route", "open") and not networks and spec.get("subnet") == "none":
        yield "/subnet", f"A network of mode {spec.get('mode')} needs addresses; write a `subnet`, or some `addresses`."


def _overlapping(network: Network, others: Sequence[Network]) -> Network | None:
    return next((each for each in others if each.version == network.version and each.overlaps(network)), None)


def _check_handed_out(place: str, dhcp: Mapping[str, Any], network: Network, own: Address) -> Iterator[Broken]:
    yield from check_ranges(f"{place}/dhcp/ranges", dhcp.get("ranges", ()), network)
    taken: dict[tuple[str, str], int] = {}
    for index, host in enumerate(dhcp.get("hosts", ())):
        where = f"{place}/dhcp/hosts/{index}"
        address = _address(host["ip"])
        if address is None or address not in network or address == own:
            yield f"{where}/ip", f"{host['ip']} isn't an address for a machine in {network}; choose another."
        if network.version == 6 and "mac" in host:
            yield f"{where}/mac", "With IPv6 a machine is known by its `id` (DUID) or its `name`; write one of them."
        if network.version == 4 and "id" in host:
            yield f"{where}/id", "A DUID is of IPv6; write the `mac`."
        for key in ("mac", "id", "name", "ip"):
            if key in host and (first := taken.setdefault((key, str(host[key]).lower()), index)) != index:
                yield f"{where}/{key}", f"Item {first + 1} of `hosts` has the same `{key}`; give each its own."


def check_ranges(place: str, ranges: Sequence[Mapping[str, Any]], network: Network | None) -> Iterator[Broken]:
    """Each inside the network, and none over another."""
    known: list[tuple[int, int, int]] = []
    for index, each in enumerate(ranges):
        first, last = _address(each["start"]), _address(each["end"])
        if first is None or last is None:
            yield f"{place}/{index}", "A range goes from one IP address to another; correct them."
            continue
        if network is None or first not in network or last not in network:
            yield f"{place}/{index}", f"This range isn't inside {network or 'a subnet'}; correct it."
            continue
        if network.version == 4 and network.network_address in (first, last):
            yield f"{place}/{index}/start", f"This is the address of {network} itself; begin after it."
        if network.version == 4 and network.broadcast_address in (first, last):
            yield f"{place}/{index}/end", f"This is the broadcast address of {network}; end before it."
        start, end = int(first), int(last)
        if start > end:
            yield f"{place}/{index}/end", "The range ends before it starts; exchange `start` and `end`."
        elif end - start > 0xFFFF:
            yield f"{place}/{index}/end", "For libvirt a range has at most 65536 addresses; make several of it."
        for number, low, high in known:
            if start <= high and low <= end:
                yield f"{place}/{index}", f"Item {number + 1} of `ranges` has some of these addresses; make them apart."
                break
        known.append((index, start, end))


def _check_routes(spec: NetworkSpec, networks: Sequence[Network]) -> Iterator[Broken]:
    seen: dict[tuple[str, str], int] = {}
    for index, route in enumerate(spec.get("routes", ())):
        place = f"/routes/{index}"
        try:
            target = ipaddress.ip_network(f"{route['address']}/{route['prefix']}")
        except ValueError:
            yield (
                f"{place}/address",
                "This isn't the address of a network with that prefix; write such as 10.9.0.0 with 16.",
            )
            continue
        if (route.get("family", "ipv4") == "ipv6") != (target.version == 6):
            yield f"{place}/family", f"The network is of IPv{target.version}; write `family: ipv{target.version}`."
        router = _address(route["gateway"])
        if router is None or router.version != target.version:
            yield f"{place}/gateway", f"The router of a network of IPv{target.version} is known by such an address."
        elif (networks or spec.get("subnet") == "none") and not any(router in each for each in networks):
            yield f"{place}/gateway", f"{router} is in no subnet of this network, and can't be reached; correct it."
        if (first := seen.setdefault((str(target), str(router)), index)) != index:
            yield place, f"Item {first + 1} of `routes` says this already; remove one."


def check_names(spec: NetworkSpec) -> Iterator[Broken]:
    """What the DNS server answers, beside addresses."""
    dns = spec.get("dns", {})
    for name, keys in {"srv": ("service", "protocol", "domain", "target"), "txt": ("name",)}.items():
        seen: dict[tuple[str, ...], int] = {}
        entries: Sequence[Mapping[str, Any]] = dns.get(name, ())  # type: ignore[assignment]  # one of the two
        for index, each in enumerate(entries):
            key = tuple(str(each.get(part, "")).lower() for part in keys)
            if (first := seen.setdefault(key, index)) != index:
                yield f"/dns/{name}/{index}", f"Item {first + 1} of `{name}` says this already; remove one."
    for index, each in enumerate(dns.get("srv", ())):
        if "target" not in each and (extra := [key for key in ("port", "priority", "weight") if key in each]):
            yield f"/dns/srv/{index}/{extra[0]}", "A service that nobody has is at no port; write its `target`."


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
