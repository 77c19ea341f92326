"""The subnets that the host itself is in, and how an address with its mask becomes one."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import psutil


def host_subnets() -> Iterator[str]:
    """Of every interface, but for what only it itself is in."""
    for addresses in psutil.net_if_addrs().values():
        for address in addresses:
            if address.family.name in ("AF_INET", "AF_INET6") and address.netmask:
                yield from subnet(address.address.partition("%")[0], address.netmask)


def subnet(address: str, size: str) -> Iterator[str]:
    """The subnet of an address; none of one that nothing else can be in."""
    try:
        interface = ipaddress.ip_interface(f"{address}/{_prefix(size)}")
    except ValueError:
        return  # a notation that neither libvirt nor the kernel gives; nothing to keep clear of
    if not (interface.is_loopback or interface.is_link_local):
        yield str(interface.network)


def _prefix(size: str) -> str:
    """A prefix length, also of an IPv6 netmask, which `ipaddress` doesn't take."""
    return str(int(ipaddress.IPv6Address(size)).bit_count()) if ":" in size else size
