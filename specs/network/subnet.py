"""Arithmetic on a network's IPv4 subnet: its gateway, what DHCP may hand out, and a subnet that nobody uses yet.

Pure. Who uses which subnet is observed elsewhere and handed in.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from specs.problem import Unrenderable

# 192.168.122.0/24 belongs to the network `default` that libvirt's packages bring, even on a host that hasn't defined it
# yet; routers at home and in offices like the numbers at the beginning. So: 123 up to the end, and only then from 2 on.
_THIRD_OCTETS = (*range(123, 255), *range(2, 122))


def free_subnet(used: Iterable[str]) -> str:
    """The first /24 that overlaps none of `used`, from 192.168.123.0, then 192.168.2.0, then 10.123.0.0 upwards.

    `used` are CIDR notations of IPv4 networks or of addresses in them. IPv6 and what isn't a network is passed over,
    and so is a default route (/0), which overlaps everything and takes nothing. Raises Unrenderable when all are taken.
    """
    taken = [network for text in used if (network := _network(text)) is not None and network.prefixlen]
    for candidate in _candidates():
        if not any(candidate.overlaps(network) for network in taken):
            return str(candidate)
    raise Unrenderable("Every subnet that onggi would choose is in use on this host; declare a `subnet`.")


def gateway(subnet: ipaddress.IPv4Network) -> ipaddress.IPv4Address:
    """The host's own address in a subnet: the first one that isn't the network's."""
    return subnet.network_address + (1 if subnet.num_addresses > 1 else 0)


def whole_range(subnet: ipaddress.IPv4Network, own: str | None = None) -> tuple[str, str]:
    """First and last address that DHCP may hand out: all but the network's, the gateway's and the broadcast address.

    `own` is the gateway, by default the first address; one in the middle is in the range, and the server leaves it out.
    Of a network that is larger than one range may be, the first part.
    """
    host = gateway(subnet) if own is None else ipaddress.IPv4Address(own)
    first = subnet.network_address + (1 if subnet.num_addresses > 1 else 0)
    last = subnet.broadcast_address - (1 if subnet.num_addresses > 2 else 0)
    if host == first:
        first = min(first + 1, last)
    elif host == last:
        last = max(last - 1, first)
    return str(first), str(min(last, last_of_range(first)))


def last_of_range(first: ipaddress.IPv4Address) -> ipaddress.IPv4Address:
    """Where a DHCP range that begins at `first` has to end for libvirt: it stays inside one /16."""
    return ipaddress.IPv4Address(int(first) | 0xFFFF)


def _network(text: str) -> ipaddress.IPv4Network | None:
    try:
        return ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        return None


def _candidates() -> Iterator[ipaddress.IPv4Network]:
    for octet in _THIRD_OCTETS:
        yield ipaddress.IPv4Network(f"192.168.{octet}.0/24")
    for second in range(123, 256):
        for third in range(256):
            yield ipaddress.IPv4Network(f"10.{second}.{third}.0/24")
