"""A NetworkFilter's spec as types. Written by `make docs` from `fields.py`: what is changed here is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Required, TypedDict


class RuleParameter(TypedDict, total=False):
    """One value of a variable; one that has several is there several times."""

    name: Required[str]
    value: Required[str]


class PacketMatch(TypedDict, total=False):
    """What a packet has, by libvirt's names of its parts."""

    srcmacaddr: str
    srcmacmask: str
    dstmacaddr: str
    dstmacmask: str
    protocolid: int | str
    vlanid: int | str
    encapProtocol: int | str
    srcipaddr: str
    srcipmask: int | str
    dstipaddr: str
    dstipmask: int | str
    srcipfrom: str
    srcipto: str
    dstipfrom: str
    dstipto: str
    dscp: int | str
    connlimitAbove: int | str
    state: str
    ipset: str
    ipsetflags: str
    srcportstart: int | str
    srcportend: int | str
    dstportstart: int | str
    dstportend: int | str
    protocol: int | str
    type: int | str
    code: int | str
    typeend: int | str
    codeend: int | str
    flags: int | str
    hwtype: int | str
    protocoltype: int | str
    opcode: int | str
    arpsrcmacaddr: str
    arpdstmacaddr: str
    arpsrcipaddr: str
    arpsrcipmask: int | str
    arpdstipaddr: str
    arpdstipmask: int | str
    gratuitous: str
    rootPriority: int | str
    rootPriorityHi: int | str
    rootAddress: str
    rootAddressMask: str
    rootCost: int | str
    rootCostHi: int | str
    senderPriority: int | str
    senderPriorityHi: int | str
    senderAddress: str
    senderAddressMask: str
    port: int | str
    portHi: int | str
    age: int | str
    ageHi: int | str
    maxAge: int | str
    maxAgeHi: int | str
    helloTime: int | str
    helloTimeHi: int | str
    forwardDelay: int | str
    forwardDelayHi: int | str
    comment: str


class Rule(TypedDict, total=False):
    """A rule, or by `filter` all rules of another filter."""

    filter: str
    parameters: Sequence[RuleParameter]
    action: Literal["accept", "drop", "reject", "return", "continue"]
    direction: Literal["in", "out", "inout"]
    priority: int
    stateMatch: bool
    protocol: Literal[
        "mac",
        "vlan",
        "stp",
        "arp",
        "rarp",
        "ip",
        "ipv6",
        "tcp",
        "udp",
        "sctp",
        "icmp",
        "igmp",
        "all",
        "esp",
        "ah",
        "udplite",
        "tcp-ipv6",
        "udp-ipv6",
        "sctp-ipv6",
        "icmpv6",
        "all-ipv6",
        "esp-ipv6",
        "ah-ipv6",
        "udplite-ipv6",
    ]
    match: PacketMatch
    noMatch: PacketMatch


class NetworkFilterSpec(TypedDict, total=False):
    """The filter."""

    chain: str
    priority: int
    rules: Sequence[Rule]
    xml: str
    deletionPolicy: Literal["Retain", "Delete"]
    driftPolicy: Literal["enforce", "warn", "ignore"]
    ignoreFields: Sequence[str]


class LoweredRule(TypedDict, total=False):
    """A rule, or by `filter` all rules of another filter."""

    filter: str
    parameters: Sequence[RuleParameter]
    action: str
    direction: str
    priority: int
    stateMatch: bool
    protocol: str
    match: PacketMatch
    noMatch: PacketMatch


class LoweredNetworkFilter(TypedDict, total=False):
    """The filter."""

    chain: str
    priority: int
    rules: Sequence[LoweredRule]
    xml: str
