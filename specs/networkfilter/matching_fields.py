"""What a rule of a filter looks at in a packet: libvirt's attributes of each protocol, under libvirt's own names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from specs.declared import Declared, mapping, shared, text

# A value, a variable such as $IP that whoever refers to the filter sets, or one of several such as $IP[@1].
_VARIABLE: Final = r"\$[A-Za-z0-9_]+(?:\[[@0-9A-Za-z_]+\])?"
_ERROR: Final = "Write a value of libvirt's for it, or a variable such as $IP; correct it."


def _value(about: str, pattern: str, most: int = 0) -> Declared:
    both = text(f"{about} Default: any.", f"^(?:{_VARIABLE}|{pattern})$", error=_ERROR)
    if not most:
        return both
    return replace(both, keywords={**both.keywords, "type": ["integer", "string"], "minimum": 0, "maximum": most})


def _number(about: str, most: int) -> Declared:
    return _value(about, "(?:0x[0-9A-Fa-f]{1,8}|[0-9]{1,10})", most)


def _mac(about: str) -> Declared:
    return _value(about, "[0-9A-Fa-f]{1,2}(?:[:-][0-9A-Fa-f]{1,2}){5}")


def _address(about: str) -> Declared:
    return _value(about, "[0-9A-Fa-f:.]{2,45}")


def _mask(about: str) -> Declared:
    return _value(about, "[0-9A-Fa-f:.]{1,45}", 128)


def _word(about: str) -> Declared:
    return _value(about, "[A-Za-z0-9_./,-]{1,64}", 65535)


_PORT, _BYTE, _LONG = 65535, 255, 4294967295

_MACS: Final = {
    "srcmacaddr": _mac("The sender's MAC address."),
    "srcmacmask": _mac("Which bits of the sender's MAC address count."),
    "dstmacaddr": _mac("The receiver's MAC address."),
    "dstmacmask": _mac("Which bits of the receiver's MAC address count."),
}
_IPS: Final = {
    "srcipaddr": _address("The sender's IP address."),
    "srcipmask": _mask("Which bits of the sender's address count: a prefix length or a mask."),
    "dstipaddr": _address("The receiver's IP address."),
    "dstipmask": _mask("Which bits of the receiver's address count: a prefix length or a mask."),
}
_RANGES: Final = {
    "srcipfrom": _address("The first of the senders' IP addresses."),
    "srcipto": _address("The last of the senders' IP addresses."),
    "dstipfrom": _address("The first of the receivers' IP addresses."),
    "dstipto": _address("The last of the receivers' IP addresses."),
    "dscp": _number("The differentiated services code point, 0 to 63.", 63),
    "connlimitAbove": _number("More connections from one sender than so many.", _PORT),
    "state": _value("States of the connection: NEW, ESTABLISHED, RELATED, INVALID, NONE.", "[A-Za-z]+(?:,[A-Za-z]+)*"),
}
_SETS: Final = {
    "ipset": _value("A set of addresses of the host's kernel, by its name.", r"[A-Za-z0-9_.:\-+ ]{1,31}"),
    "ipsetflags": _value("What the set is about: src, dst, in order.", "(?:src|dst)(?:,(?:src|dst)){0,5}"),
}
_PORTS: Final = {
    "srcportstart": _number("The sender's port, or the first of several.", _PORT),
    "srcportend": _number("The last of the sender's ports.", _PORT),
    "dstportstart": _number("The receiver's port, or the first of several.", _PORT),
    "dstportend": _number("The last of the receiver's ports.", _PORT),
}
_COMMENT: Final = {"comment": text("A comment in the host's firewall. Default: none.", r"^[^\n\r]{0,256}$")}
_ICMP: Final = {
    "type": _number("The message's type, or the first of several.", _BYTE),
    "code": _number("The message's code, or the first of several.", _BYTE),
}
_ICMP_ENDS: Final = {
    "typeend": _number("The last of the message's types.", _BYTE),
    "codeend": _number("The last of the message's codes.", _BYTE),
}
_ARP: Final = {
    "hwtype": _number("The kind of hardware address.", _PORT),
    "protocoltype": _number("The kind of protocol address.", _PORT),
    "opcode": _word("What is asked or told: Request, Reply, Request_Reverse, Reply_Reverse or a number."),
    "arpsrcmacaddr": _mac("The MAC address that the packet tells of its sender."),
    "arpdstmacaddr": _mac("The MAC address that the packet tells of its receiver."),
    "arpsrcipaddr": _address("The IP address that the packet tells of its sender."),
    "arpsrcipmask": _mask("Which bits of that sender's address count."),
    "arpdstipaddr": _address("The IP address that the packet tells of its receiver."),
    "arpdstipmask": _mask("Which bits of that receiver's address count."),
    "gratuitous": _value("Whether nobody asked for it: true or false.", "(?:true|false)"),
}
_STP: Final = {
    "rootPriority": _number("The root bridge's priority, or the first of several.", _PORT),
    "rootPriorityHi": _number("The last of the root bridge's priorities.", _PORT),
    "rootAddress": _mac("The root bridge's MAC address."),
    "rootAddressMask": _mac("Which bits of the root bridge's address count."),
    "rootCost": _number("The cost of the way to the root, or the first of several.", _LONG),
    "rootCostHi": _number("The last of the costs of the way to the root.", _LONG),
    "senderPriority": _number("The sender's priority, or the first of several.", _PORT),
    "senderPriorityHi": _number("The last of the sender's priorities.", _PORT),
    "senderAddress": _mac("The sender's MAC address."),
    "senderAddressMask": _mac("Which bits of the sender's address count."),
    "port": _number("The port of the bridge, or the first of several.", _PORT),
    "portHi": _number("The last of the bridge's ports.", _PORT),
    "age": _number("The message's age, or the first of several.", _PORT),
    "ageHi": _number("The last of the message's ages.", _PORT),
    "maxAge": _number("The greatest age, or the first of several.", _PORT),
    "maxAgeHi": _number("The last of the greatest ages.", _PORT),
    "helloTime": _number("The hello time, or the first of several.", _PORT),
    "helloTimeHi": _number("The last of the hello times.", _PORT),
    "forwardDelay": _number("The forward delay, or the first of several.", _PORT),
    "forwardDelayHi": _number("The last of the forward delays.", _PORT),
}
_FLAGS: Final = {"flags": _word("TCP's flags as MASK/FLAGS, such as SYN,ACK/SYN; STP's as a number.")}
_MAC_PROTOCOL: Final = {"protocolid": _word("What the frame holds: arp, rarp, ipv4, ipv6, vlan or a number.")}
_VLAN: Final = {
    "vlanid": _number("The VLAN's tag.", 4095),
    "encapProtocol": _word("What is inside of the VLAN's frame: arp, ipv4, ipv6 or a number."),
}
_IP_PROTOCOL: Final = {"protocol": _word("The protocol inside: tcp, udp, icmp and so on, or a number.")}

MATCH: Final = shared(
    "packetMatch",
    mapping(
        "What a packet has, by libvirt's names of its parts. Which there are depends on the protocol.",
        {
            **_MACS, **_MAC_PROTOCOL, **_VLAN, **_IPS, **_RANGES, **_SETS, **_PORTS, **_IP_PROTOCOL, **_ICMP,
            **_ICMP_ENDS, **_FLAGS, **_ARP, **_STP, **_COMMENT,
        },
    ),
)  # fmt: skip

_SOURCE_MAC = ("srcmacaddr",)
_LAYER_4 = (*_SOURCE_MAC, *_IPS, *_RANGES, *_COMMENT)
_FOUR: Final = {
    "tcp": (*_LAYER_4, *_PORTS, *_FLAGS),
    "udp": (*_LAYER_4, *_PORTS),
    "sctp": (*_LAYER_4, *_PORTS),
    "icmp": (*_LAYER_4, *_ICMP),
    "igmp": _LAYER_4,
    "all": (*_LAYER_4, *_SETS),  # libvirt passes over them everywhere else
    "esp": _LAYER_4,
    "ah": _LAYER_4,
    "udplite": _LAYER_4,
}
_SIX: Final = {
    # libvirt takes no address of IPv6 for the last of the receivers', and no flags of TCP's over it.
    ("icmpv6" if name == "icmp" else f"{name}-ipv6"): [part for part in parts if part not in ("dstipto", "flags")]
    for name, parts in _FOUR.items()
    if name != "igmp"
}
_IP = (*_MACS, *_IPS, *_PORTS, *_IP_PROTOCOL, *_COMMENT)
PARTS: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(parts)
    for name, parts in {
        "mac": (*_MACS, *_MAC_PROTOCOL, *_COMMENT),
        "vlan": (*_MACS, *_VLAN, *_COMMENT),
        "stp": ("srcmacaddr", "srcmacmask", "type", "flags", *_STP, *_COMMENT),
        "arp": (*_MACS, *_ARP, *_COMMENT),
        "rarp": (*_MACS, *_ARP, *_COMMENT),
        "ip": (*_IP, "dscp"),
        "ipv6": (*_IP, *_ICMP, *_ICMP_ENDS),
        **_FOUR,
        **_SIX,
    }.items()
}
