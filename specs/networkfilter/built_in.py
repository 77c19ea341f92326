"""The filters that libvirt brings along. They belong to it as its CPU models do: interfaces and filters name them, and
no document declares one, no export has one, and nothing is ever removed for not being declared.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from specs.reference import NETWORK_FILTER, Ref

BUILT_IN: Final = frozenset(
    {
        "allow-arp",
        "allow-dhcp",
        "allow-dhcp-server",
        "allow-dhcpv6",
        "allow-dhcpv6-server",
        "allow-incoming-ipv4",
        "allow-incoming-ipv6",
        "allow-ipv4",
        "allow-ipv6",
        "clean-traffic",
        "clean-traffic-gateway",
        "no-arp-ip-spoofing",
        "no-arp-mac-spoofing",
        "no-arp-spoofing",
        "no-ip-multicast",
        "no-ip-spoofing",
        "no-ipv6-multicast",
        "no-ipv6-spoofing",
        "no-mac-broadcast",
        "no-mac-spoofing",
        "no-other-l2-traffic",
        "no-other-rarp-traffic",
        "qemu-announce-self",
        "qemu-announce-self-rarp",
    }
)


def filter_refs(*names: str) -> Iterator[Ref]:
    """What somebody needs who names these filters: each that isn't libvirt's own."""
    return (Ref(NETWORK_FILTER, name) for name in dict.fromkeys(names) if name not in BUILT_IN)
