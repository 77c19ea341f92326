"""One spelling of each rule of a filter: libvirt writes 17 as udp, a mask as its length, and flags in its own order."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, Final

from specs import canonical
from specs.plain import NewSpec

_ETHER: Final = {"ipv4": 0x800, "arp": 0x806, "rarp": 0x8035, "vlan": 0x8100, "ipv6": 0x86DD}
_IP: Final = {
    "icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "esp": 50, "ah": 51, "icmpv6": 58, "sctp": 132, "udplite": 136,
}  # fmt: skip
_OPCODE: Final = {
    "request": 1, "reply": 2, "request_reverse": 3, "reply_reverse": 4, "drarp_request": 5, "drarp_reply": 6,
    "drarp_error": 7, "inarp_request": 8, "arp_nak": 9,
}  # fmt: skip
_WORDS: Final[Mapping[str, Mapping[str, int]]] = {
    "protocolid": _ETHER,
    "encapProtocol": _ETHER,
    "protocol": _IP,
    "opcode": _OPCODE,
}
_TEXTS: Final = frozenset({"comment", "ipset", "ipsetflags"})  # where each letter counts
_TCP_FLAGS: Final = ("SYN", "ACK", "URG", "PSH", "FIN", "RST")
PRIORITY: Final = 500


def normal(rule: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a rule means: equal for two of them that libvirt takes for the same."""
    if "filter" in rule:
        return rule["filter"], tuple(sorted((each["name"], each["value"]) for each in rule.get("parameters", ())))
    return (
        rule.get("action"),
        rule.get("direction"),
        rule.get("priority", PRIORITY),
        rule.get("stateMatch", True),
        rule.get("protocol"),
        *map(_packet, _sides(rule.get("match", {}), rule.get("noMatch", {}))),
    )


def _sides(match: Mapping[str, Any], negated: Mapping[str, Any]) -> tuple[NewSpec, NewSpec]:
    """What a packet has and what it doesn't have: a mask is on the side of its address, wherever it is written."""
    every = {**negated, **match}
    there = {part for part in every if (_address(part) if _address(part) in every else part) in negated}
    return {part: every[part] for part in every.keys() - there}, {part: every[part] for part in there}


def _address(part: str) -> str:
    """The address that a mask is of."""
    return part.removesuffix("mask") + "addr" if part.endswith("mask") else part.removesuffix("Mask")


def _packet(match: Mapping[str, Any]) -> frozenset[tuple[str, Any]]:
    return frozenset((part, _part(part, str(value))) for part, value in match.items())


def _part(part: str, value: str) -> Any:
    if part in _TEXTS or value.startswith("$"):
        return value
    folded = value.lower()
    if part.endswith("ipmask"):
        return _length(folded)
    if "mac" in part or "Address" in part:
        return canonical.mac(value)
    if "ip" in part:
        return canonical.address(folded)
    if part == "state":
        return frozenset(folded.split(","))
    if part == "flags" and "/" in value:
        return tuple(_flags(each) for each in value.split("/"))
    return _WORDS.get(part, {}).get(folded, _number(folded))


def _number(text: str) -> int | str:
    try:
        return int(text, 16) if text.startswith("0x") else int(text)
    except ValueError:
        return text


def _length(mask: str) -> int | str:
    """Of a mask the number of its bits: `255.255.255.0` → 24."""
    if mask.isdecimal():
        return int(mask)
    try:
        return bin(int(ipaddress.ip_address(mask))).count("1")
    except ValueError:
        return mask


def _flags(text: str) -> frozenset[str]:
    flags = frozenset(text.upper().split(","))
    return frozenset(_TCP_FLAGS) if flags == {"ALL"} else flags - {"NONE"}
