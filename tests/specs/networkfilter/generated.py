"""Every sort of NetworkFilter spec, for laws. Each one has to pass validation first."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from specs.networkfilter.matching_fields import PARTS

PORTS = st.integers(1, 65535) | st.integers(1, 65535).map(hex) | st.just("$PORT")
BYTES = st.integers(0, 255)
SHORTS = st.integers(0, 65535)
MACS = st.binary(min_size=5, max_size=5).map(lambda octets: f"52:{octets.hex(':')}")
FOUR = st.ip_addresses(v=4, network="192.0.2.0/24").map(str)
SIX = st.ip_addresses(v=6, network="2001:db8::/32").map(lambda address: str(address).upper())


def part(name: str, protocol: str) -> st.SearchStrategy[Any]:
    """Values of a part of a packet."""
    six = "6" in protocol
    match name:
        case "state":
            return st.sampled_from(["NEW", "ESTABLISHED,NEW", "RELATED", "NONE"])
        case "comment":
            return st.from_regex("[a-zA-Z0-9 ]{1,20}", fullmatch=True)
        case "gratuitous":
            return st.sampled_from(["true", "false"])
        case "flags":
            return st.sampled_from(["SYN/ALL", "SYN,ACK/SYN", "ALL/NONE"]) if "tcp" in protocol else BYTES
        case "opcode":
            return st.integers(1, 9) | st.sampled_from(["Request", "Reply"])
        case "protocol":
            return st.sampled_from(["tcp", "udp", 17, "sctp", 6, 132])
        case "protocolid" | "encapProtocol":
            return st.sampled_from(["arp", "ipv4", "ipv6", 0x806, "0x800", 0x88CC])
        case "dscp":
            return st.integers(0, 63)
        case "vlanid":
            return st.integers(0, 4095)
        case _ if name.endswith("ipmask"):
            return st.integers(0, 128 if six else 32) if six else st.integers(0, 32) | st.just("255.255.254.0")
        case _ if "mac" in name or "Address" in name:
            return MACS if "ask" not in name else st.just("ff:ff:ff:00:00:00")
        case _ if name.endswith(("ipaddr", "ipfrom", "ipto")):
            return SIX if six else FOUR
        case _ if "port" in name and not name.startswith("port"):
            return PORTS
        case "type" | "typeend" | "code" | "codeend":
            return BYTES
        case _:
            return SHORTS


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    """One rule about packets."""
    protocol = draw(st.sampled_from(sorted(PARTS)))
    # A set of addresses needs both of its fields, and has a law of its own.
    names = sorted(PARTS[protocol] - {"ipset", "ipsetflags"})
    chosen = draw(st.lists(st.sampled_from(names), max_size=4, unique=True))
    # libvirt has no negative of what holds for the connection.
    negated = {name for name in chosen if name.endswith(("ipaddr", "macaddr", "portstart")) and draw(st.booleans())}
    rule: dict[str, Any] = {
        "action": draw(st.sampled_from(["accept", "drop", "reject", "return", "continue"])),
        "direction": draw(st.sampled_from(["in", "out", "inout"])),
        "protocol": protocol,
    }
    if protocol in ("ip", "ipv6") and any("port" in name for name in chosen):
        chosen = [*dict.fromkeys([*chosen, "protocol"])]
    packets = {name: draw(part(name, protocol)) for name in chosen}
    for field, some in (("match", set(chosen) - negated), ("noMatch", negated)):
        if some:
            rule[field] = {name: packets[name] for name in sorted(some)}
    if draw(st.booleans()):
        rule["priority"] = draw(st.integers(-1000, 1000))
    if draw(st.booleans()):
        rule["stateMatch"] = draw(st.booleans())
    return rule


INCLUDED = st.fixed_dictionaries(
    {"filter": st.sampled_from(["clean-traffic", "allow-arp"])},
    optional={
        "parameters": st.lists(
            st.fixed_dictionaries({"name": st.sampled_from(["IP", "A"]), "value": FOUR}), max_size=3,
            unique_by=lambda each: (each["name"], each["value"]),
        )
    },
)  # fmt: skip
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "chain": st.sampled_from(["root", "arp-law", "ipv4"]),
        "priority": st.integers(-1000, -1) | st.integers(1, 1000),
        "rules": st.lists(rules() | INCLUDED, max_size=4),
    },
)
