"""A Network's spec as types. Written by `make docs` from `fields.py`: what is changed here is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Required, TypedDict


class DhcpHost(TypedDict, total=False):
    """A fixed address for a MAC address."""

    mac: Required[str]
    ip: Required[str]
    name: str


class Dhcp(TypedDict, total=False):
    """libvirt's DHCP server for the network."""

    enabled: bool
    start: str
    end: str
    hosts: Sequence[DhcpHost]


class DnsHost(TypedDict, total=False):
    """The names of one address."""

    ip: Required[str]
    hostnames: Required[Sequence[str]]


class Dns(TypedDict, total=False):
    """libvirt's DNS server for the network."""

    enabled: bool
    forwarders: Sequence[str]
    hosts: Sequence[DnsHost]


class NetworkSpec(TypedDict, total=False):
    """The network."""

    mode: Required[Literal["nat", "isolated", "bridge"]]
    bridge: str
    interface: str
    vlan: int
    subnet: str
    gateway: str
    dhcp: Dhcp
    dns: Dns
    domain: str
    xml: str
    autostart: bool
    active: bool
    deletionPolicy: Literal["Retain", "Delete"]
    driftPolicy: Literal["enforce", "warn", "ignore"]
    ignoreFields: Sequence[str]


class LoweredNetwork(TypedDict, total=False):
    """The network."""

    mode: Required[str]
    bridge: str
    interface: str
    subnet: str
    gateway: str
    dhcp: Dhcp
    dns: Dns
    domain: str
    xml: str
