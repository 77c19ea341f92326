"""Which addresses of the network may be connected to because a document or a client says so. Pure.

An address counts as all that it can stand for: `::ffff:127.0.0.1`, `64:ff9b::7f00:1` and `2002:7f00:1::` are loopback
by other names. What the Internet can networks anyway is allowed; everything else (this machine, its link, private
networks, the metadata of a cloud) is only when the settings allow its network.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from reconciler.errors import SettingsError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Python's own list of what is global takes much of IPv6 for global that nobody routes, such as ::/8 and fec0::/10.
_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE: Final = ipaddress.IPv6Network("::/96")
_NARROW: Final = 8  # a network of which loopback or a link is but a corner doesn't mean it
_ISATAP: Final = (0x0000_5EFE, 0x0200_5EFE)


class Depth(IntEnum):
    """How far inside an address lies."""

    OUTSIDE = 0
    PRIVATE = 1
    ITSELF = 2  # this machine and its link, where whatever listens trusts who asks


def meanings(address: Address) -> tuple[Address, ...]:
    """Every address that a packet to this one may end at."""
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    last = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    if address in _NAT64:
        return (last,)
    found: list[Address] = [address]
    if address in _COMPATIBLE or (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP:
        found.append(last)
    if address.sixtofour is not None:
        found.append(address.sixtofour)
    if address.teredo is not None:
        found += address.teredo
    return tuple(found)


def depth(address: Address, own: frozenset[Address] = frozenset()) -> Depth:
    """How far inside it lies, by the worst that it can mean. `own` are the addresses of this machine."""
    return max(_depth(each, own) for each in meanings(address))


def _depth(address: Address, own: frozenset[Address]) -> Depth:
    near = address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast
    if near or address in own or int(address) >> 24 == 0:  # 0.0.0.0/8 is this machine too
        return Depth.ITSELF
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST:
        return Depth.PRIVATE
    return Depth.OUTSIDE if address.is_global and not address.is_reserved else Depth.PRIVATE


@dataclass(frozen=True, slots=True)
class Networks:
    """What may be connected to: the Internet, and the `allowed` networks. `private`: also the networks around this
    machine, for what lies there by its nature.
    """

    allowed: tuple[Network, ...] = ()
    private: bool = False
    everywhere: bool = False

    @classmethod
    def of(cls, allowed: Iterable[str], *, private: bool = False) -> Networks:
        """With networks such as `192.168.0.0/16`. Raises SettingsError."""
        return cls(tuple(map(network, allowed)), private)

    @classmethod
    def anywhere(cls) -> Networks:
        """For servers that the operator named in the settings."""
        return cls(everywhere=True)

    def allows(self, address: Address, own: frozenset[Address] = frozenset()) -> bool:
        """Whether everything that the address can mean may be connected to."""
        most = Depth.PRIVATE if self.private else Depth.OUTSIDE
        return self._names(address) or all(self._names(each) or _depth(each, own) <= most for each in meanings(address))

    def _names(self, address: Address) -> bool:
        if self.everywhere:
            return True
        least = _NARROW if depth(address) is Depth.ITSELF else 0
        return any(address in each and each.prefixlen >= least for each in self.allowed)


INTERNET: Final = Networks()


def network(text: str) -> Network:
    """A network by its CIDR notation, or one address. Raises SettingsError."""
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise SettingsError(
            f"allowed-network {text!r} isn't a network ({error}); give one such as 192.168.0.0/16."
        ) from None
