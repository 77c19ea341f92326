"""The shape of a Network's spec."""

from __future__ import annotations

from typing import Literal, TypedDict

from specs.policy import PolicyFields


class DhcpHost(TypedDict, total=False):
    """A fixed address for a MAC."""

    mac: str
    ip: str
    name: str


class Dhcp(TypedDict, total=False):
    """`enabled: false` for none. Without start and end the whole subnet but the gateway is handed out."""

    enabled: bool
    start: str
    end: str
    hosts: list[DhcpHost]  # complete: an address that isn't listed is removed


class DnsHost(TypedDict):
    """Names that libvirt's DNS answers for an address."""

    ip: str
    hostnames: list[str]


class Dns(TypedDict, total=False):
    """libvirt's DNS for the network."""

    enabled: bool
    forwarders: list[str]
    hosts: list[DnsHost]  # complete


class NetworkSpec(PolicyFields, total=False):
    """nat and isolated make a bridge of their own; bridge joins the host's."""

    mode: Literal["nat", "isolated", "bridge"]
    bridge: str  # mode bridge: an existing host bridge
    interface: str  # mode bridge: a NIC or bonding of the host
    vlan: int  # tag, with interface
    subnet: str  # CIDR of the gateway's network; a free one is chosen once when unset
    dhcp: Dhcp
    dns: Dns
    domain: str
    autostart: bool
    active: bool  # default true
