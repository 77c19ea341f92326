"""A Network's spec as types. Written by `make docs` from `fields.py`: what is changed here is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Required, TypedDict


class DhcpRangeLease(TypedDict, total=False):
    """For how long it is handed out."""

    expiry: Required[int]
    unit: Literal["seconds", "minutes", "hours"]


class DhcpRange(TypedDict, total=False):
    """One range."""

    start: Required[str]
    end: Required[str]
    lease: DhcpRangeLease


class DhcpHostLease(TypedDict, total=False):
    """For how long it is handed out."""

    expiry: Required[int]
    unit: Literal["seconds", "minutes", "hours"]


class DhcpHost(TypedDict, total=False):
    """A fixed address for a MAC address, or for a name."""

    mac: str
    ip: Required[str]
    name: str
    lease: DhcpHostLease


class DhcpBootp(TypedDict, total=False):
    """What a machine that boots over the network is told."""

    file: Required[str]
    server: str


class Dhcp(TypedDict, total=False):
    """libvirt's DHCP server for the network."""

    enabled: bool
    start: str
    end: str
    ranges: Sequence[DhcpRange]
    hosts: Sequence[DhcpHost]
    bootp: DhcpBootp


class AddresseDhcpRangeLease(TypedDict, total=False):
    """For how long it is handed out."""

    expiry: Required[int]
    unit: Literal["seconds", "minutes", "hours"]


class AddresseDhcpRange(TypedDict, total=False):
    """One range."""

    start: Required[str]
    end: Required[str]
    lease: AddresseDhcpRangeLease


class AddresseDhcpHostLease(TypedDict, total=False):
    """For how long it is handed out."""

    expiry: Required[int]
    unit: Literal["seconds", "minutes", "hours"]


class AddresseDhcpHost(TypedDict, total=False):
    """A fixed address for a machine."""

    mac: str
    id: str
    name: str
    ip: Required[str]
    lease: AddresseDhcpHostLease


class AddresseDhcpBootp(TypedDict, total=False):
    """What a machine that boots over the network is told."""

    file: Required[str]
    server: str


class AddresseDhcp(TypedDict, total=False):
    """What is handed out."""

    ranges: Sequence[AddresseDhcpRange]
    hosts: Sequence[AddresseDhcpHost]
    bootp: AddresseDhcpBootp


class Addresse(TypedDict, total=False):
    """One address of the host."""

    address: Required[str]
    prefix: Required[int]
    localPtr: bool
    tftp: str
    dhcp: AddresseDhcp


class Route(TypedDict, total=False):
    """One route."""

    address: Required[str]
    family: Literal["ipv4", "ipv6"]
    prefix: Required[int]
    gateway: Required[str]
    metric: int


class DnsDomainForwarder(TypedDict, total=False):
    """One domain."""

    domain: Required[str]
    addr: str


class DnsSrv(TypedDict, total=False):
    """One service."""

    service: Required[str]
    protocol: Required[Literal["tcp", "udp"]]
    domain: str
    target: str
    port: int
    priority: int
    weight: int


class DnsTxt(TypedDict, total=False):
    """One text."""

    name: Required[str]
    value: Required[str]


class DnsHost(TypedDict, total=False):
    """The names of one address."""

    ip: Required[str]
    hostnames: Required[Sequence[str]]


class Dns(TypedDict, total=False):
    """libvirt's DNS server for the network."""

    enabled: bool
    forwarders: Sequence[str]
    domainForwarders: Sequence[DnsDomainForwarder]
    forwardPlainNames: bool
    srv: Sequence[DnsSrv]
    txt: Sequence[DnsTxt]
    hosts: Sequence[DnsHost]


class ForwardNatAddress(TypedDict, total=False):
    """The host's addresses that are shown outside."""

    start: Required[str]
    end: Required[str]


class ForwardNatPort(TypedDict, total=False):
    """The ports that are shown outside."""

    start: Required[int]
    end: Required[int]


class ForwardNat(TypedDict, total=False):
    """nat: how addresses are translated."""

    ipv6: bool
    address: ForwardNatAddress
    port: ForwardNatPort


class Forward(TypedDict, total=False):
    """By what of the host its traffic goes."""

    interfaces: Sequence[str]
    pf: str
    addresses: Sequence[str]
    driver: Literal["vfio", "kvm"]
    managed: bool
    nat: ForwardNat


class OwnBridge(TypedDict, total=False):
    """The bridge that libvirt makes, in the modes nat, route, open and isolated."""

    name: str
    stp: bool
    delay: int
    macTableManager: Literal["kernel", "libvirt"]
    zone: str


class Port(TypedDict, total=False):
    """What holds of every port."""

    isolated: bool


class BandwidthInbound(TypedDict, total=False):
    """Of what comes to it."""

    average: str
    peak: str
    burst: str


class BandwidthOutbound(TypedDict, total=False):
    """Of what it sends."""

    average: str
    peak: str
    burst: str


class Bandwidth(TypedDict, total=False):
    """How much may pass all of it."""

    inbound: BandwidthInbound
    outbound: BandwidthOutbound


class Virtualport(TypedDict, total=False):
    """How its ports join a switch that wants to know who joins."""

    type: Literal["802.1Qbg", "802.1Qbh", "openvswitch", "midonet"]
    managerId: int
    typeId: int
    typeIdVersion: int
    instanceId: str
    profileId: str
    interfaceId: str


class SwitchVlanTag(TypedDict, total=False):
    """One tag."""

    id: Required[int]
    nativeMode: Literal["tagged", "untagged"]


class SwitchVlan(TypedDict, total=False):
    """The VLANs that its ports carry, where the switch knows any: Open vSwitch, or cards of the host's."""

    trunk: bool
    tags: Sequence[SwitchVlanTag]


class PortgroupBandwidthInbound(TypedDict, total=False):
    """Of what comes to it."""

    average: str
    peak: str
    burst: str
    floor: str


class PortgroupBandwidthOutbound(TypedDict, total=False):
    """Of what it sends."""

    average: str
    peak: str
    burst: str


class PortgroupBandwidth(TypedDict, total=False):
    """How much may pass each of them."""

    inbound: PortgroupBandwidthInbound
    outbound: PortgroupBandwidthOutbound


class PortgroupVlanTag(TypedDict, total=False):
    """One tag."""

    id: Required[int]
    nativeMode: Literal["tagged", "untagged"]


class PortgroupVlan(TypedDict, total=False):
    """The VLANs that they carry."""

    trunk: bool
    tags: Sequence[PortgroupVlanTag]


class PortgroupVirtualport(TypedDict, total=False):
    """How they join their switch."""

    type: Literal["802.1Qbg", "802.1Qbh", "openvswitch", "midonet"]
    managerId: int
    typeId: int
    typeIdVersion: int
    instanceId: str
    profileId: str
    interfaceId: str


class Portgroup(TypedDict, total=False):
    """One group."""

    name: Required[str]
    default: bool
    trustGuestRxFilters: bool
    bandwidth: PortgroupBandwidth
    vlan: PortgroupVlan
    virtualport: PortgroupVirtualport


class NetworkSpec(TypedDict, total=False):
    """The network."""

    mode: Required[Literal["nat", "isolated", "bridge", "route", "open", "private", "vepa", "passthrough", "hostdev"]]
    bridge: str
    interface: str
    vlan: int
    subnet: str
    gateway: str
    dhcp: Dhcp
    localPtr: bool
    tftp: str
    addresses: Sequence[Addresse]
    routes: Sequence[Route]
    dns: Dns
    domain: str
    domainLocalOnly: bool
    mac: str
    ipv6: bool
    forward: Forward
    ownBridge: OwnBridge
    mtu: int
    port: Port
    bandwidth: Bandwidth
    trustGuestRxFilters: bool
    virtualport: Virtualport
    switchVlan: SwitchVlan
    portgroups: Sequence[Portgroup]
    xml: str
    autostart: bool
    active: bool
    deletionPolicy: Literal["Retain", "Delete"]
    driftPolicy: Literal["enforce", "warn", "ignore"]
    ignoreFields: Sequence[str]


class LoweredDhcpRangeLease(TypedDict, total=False):
    """For how long it is handed out."""

    expiry: Required[int]
    unit: str


class LoweredDhcpRange(TypedDict, total=False):
    """One range."""

    start: Required[str]
    end: Required[str]
    lease: LoweredDhcpRangeLease


class LoweredDhcpHostLease(TypedDict, total=False):
    """For how long it is handed out."""

    expiry: Required[int]
    unit: str


class LoweredDhcpHost(TypedDict, total=False):
    """A fixed address for a MAC address, or for a name."""

    mac: str
    ip: Required[str]
    name: str
    lease: LoweredDhcpHostLease


class LoweredDhcp(TypedDict, total=False):
    """libvirt's DHCP server for the network."""

    enabled: bool
    start: str
    end: str
    ranges: Sequence[LoweredDhcpRange]
    hosts: Sequence[LoweredDhcpHost]
    bootp: DhcpBootp


class LoweredAddresseDhcpRangeLease(TypedDict, total=False):
    """For how long it is handed out."""

    expiry: Required[int]
    unit: str


class LoweredAddresseDhcpRange(TypedDict, total=False):
    """One range."""

    start: Required[str]
    end: Required[str]
    lease: LoweredAddresseDhcpRangeLease


class LoweredAddresseDhcpHostLease(TypedDict, total=False):
    """For how long it is handed out."""

    expiry: Required[int]
    unit: str


class LoweredAddresseDhcpHost(TypedDict, total=False):
    """A fixed address for a machine."""

    mac: str
    id: str
    name: str
    ip: Required[str]
    lease: LoweredAddresseDhcpHostLease


class LoweredAddresseDhcp(TypedDict, total=False):
    """What is handed out."""

    ranges: Sequence[LoweredAddresseDhcpRange]
    hosts: Sequence[LoweredAddresseDhcpHost]
    bootp: AddresseDhcpBootp


class LoweredAddresse(TypedDict, total=False):
    """One address of the host."""

    address: Required[str]
    prefix: Required[int]
    localPtr: bool
    tftp: str
    dhcp: LoweredAddresseDhcp


class LoweredRoute(TypedDict, total=False):
    """One route."""

    address: Required[str]
    family: str
    prefix: Required[int]
    gateway: Required[str]
    metric: int


class LoweredDnsSrv(TypedDict, total=False):
    """One service."""

    service: Required[str]
    protocol: Required[str]
    domain: str
    target: str
    port: int
    priority: int
    weight: int


class LoweredDns(TypedDict, total=False):
    """libvirt's DNS server for the network."""

    enabled: bool
    forwarders: Sequence[str]
    domainForwarders: Sequence[DnsDomainForwarder]
    forwardPlainNames: bool
    srv: Sequence[LoweredDnsSrv]
    txt: Sequence[DnsTxt]
    hosts: Sequence[DnsHost]


class LoweredForward(TypedDict, total=False):
    """By what of the host its traffic goes."""

    interfaces: Sequence[str]
    pf: str
    addresses: Sequence[str]
    driver: str
    managed: bool
    nat: ForwardNat


class LoweredOwnBridge(TypedDict, total=False):
    """The bridge that libvirt makes, in the modes nat, route, open and isolated."""

    name: str
    stp: bool
    delay: int
    macTableManager: str
    zone: str


class LoweredBandwidthInbound(TypedDict, total=False):
    """Of what comes to it."""

    average: int
    peak: int
    burst: int


class LoweredBandwidthOutbound(TypedDict, total=False):
    """Of what it sends."""

    average: int
    peak: int
    burst: int


class LoweredBandwidth(TypedDict, total=False):
    """How much may pass all of it."""

    inbound: LoweredBandwidthInbound
    outbound: LoweredBandwidthOutbound


class LoweredVirtualport(TypedDict, total=False):
    """How its ports join a switch that wants to know who joins."""

    type: str
    managerId: int
    typeId: int
    typeIdVersion: int
    instanceId: str
    profileId: str
    interfaceId: str


class LoweredSwitchVlanTag(TypedDict, total=False):
    """One tag."""

    id: Required[int]
    nativeMode: str


class LoweredSwitchVlan(TypedDict, total=False):
    """The VLANs that its ports carry, where the switch knows any: Open vSwitch, or cards of the host's."""

    trunk: bool
    tags: Sequence[LoweredSwitchVlanTag]


class LoweredPortgroupBandwidthInbound(TypedDict, total=False):
    """Of what comes to it."""

    average: int
    peak: int
    burst: int
    floor: int


class LoweredPortgroupBandwidthOutbound(TypedDict, total=False):
    """Of what it sends."""

    average: int
    peak: int
    burst: int


class LoweredPortgroupBandwidth(TypedDict, total=False):
    """How much may pass each of them."""

    inbound: LoweredPortgroupBandwidthInbound
    outbound: LoweredPortgroupBandwidthOutbound


class LoweredPortgroupVlanTag(TypedDict, total=False):
    """One tag."""

    id: Required[int]
    nativeMode: str


class LoweredPortgroupVlan(TypedDict, total=False):
    """The VLANs that they carry."""

    trunk: bool
    tags: Sequence[LoweredPortgroupVlanTag]


class LoweredPortgroupVirtualport(TypedDict, total=False):
    """How they join their switch."""

    type: str
    managerId: int
    typeId: int
    typeIdVersion: int
    instanceId: str
    profileId: str
    interfaceId: str


class LoweredPortgroup(TypedDict, total=False):
    """One group."""

    name: Required[str]
    default: bool
    trustGuestRxFilters: bool
    bandwidth: LoweredPortgroupBandwidth
    vlan: LoweredPortgroupVlan
    virtualport: LoweredPortgroupVirtualport


class LoweredNetwork(TypedDict, total=False):
    """The network."""

    mode: Required[str]
    bridge: str
    interface: str
    subnet: str
    gateway: str
    dhcp: LoweredDhcp
    localPtr: bool
    tftp: str
    addresses: Sequence[LoweredAddresse]
    routes: Sequence[LoweredRoute]
    dns: LoweredDns
    domain: str
    domainLocalOnly: bool
    mac: str
    ipv6: bool
    forward: LoweredForward
    ownBridge: LoweredOwnBridge
    mtu: int
    port: Port
    bandwidth: LoweredBandwidth
    trustGuestRxFilters: bool
    virtualport: LoweredVirtualport
    switchVlan: LoweredSwitchVlan
    portgroups: Sequence[LoweredPortgroup]
    xml: str
