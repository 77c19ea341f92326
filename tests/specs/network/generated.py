"""Every sort of Network spec, for laws. What is valid isn't decided here: each one has to pass validation first."""

from __future__ import annotations

import ipaddress
from typing import Any

from hypothesis import strategies as st

HOST_NAMES = st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,12}[a-z0-9]", fullmatch=True)
INTERFACES = st.from_regex(r"[a-z][a-z0-9]{1,14}", fullmatch=True)
ADDRESSES = st.ip_addresses().filter(lambda address: not (address.is_unspecified or address.is_multicast)).map(str)


@st.composite
def macs(draw: st.DrawFn) -> str:
    octets = [draw(st.integers(0, 127)) * 2, *draw(st.binary(min_size=5, max_size=5))]
    text = ":".join(f"{octet:02x}" for octet in octets)
    return text.upper() if draw(st.booleans()) else text


@st.composite
def subnets(draw: st.DrawFn) -> ipaddress.IPv4Network:
    prefix = draw(st.integers(8, 29))
    inside = draw(st.integers(0, (1 << 24) - 1))
    return ipaddress.IPv4Network((int(ipaddress.IPv4Address("10.0.0.0")) + inside, prefix), strict=False)


@st.composite
def dhcp(draw: st.DrawFn, subnet: ipaddress.IPv4Network) -> dict[str, Any]:
    places = st.integers(2, subnet.num_addresses - 2)
    found: dict[str, Any] = {}
    if draw(st.booleans()):
        start = draw(places)
        end = draw(st.integers(start, min(subnet.num_addresses - 2, start | 0xFFFF)))
        found |= {"start": str(subnet[start]), "end": str(subnet[end])}
    if draw(st.booleans()):
        addresses = draw(st.lists(places, unique=True, max_size=4))
        found["hosts"] = []
        taken = draw(st.lists(macs(), min_size=len(addresses), max_size=len(addresses), unique_by=str.lower))
        names = draw(st.lists(HOST_NAMES, min_size=len(addresses), max_size=len(addresses), unique=True))
        for place, mac, name in zip(addresses, taken, names, strict=True):
            host = {"mac": mac, "ip": str(subnet[place])}
            found["hosts"].append(host | ({"name": name} if draw(st.booleans()) else {}))
    if "start" not in found and subnet.prefixlen < 28 and draw(st.booleans()):
        third = subnet.num_addresses // 3
        edges = [(third, third + 1), (third + 2, min(2 * third, third + 999))]
        found["ranges"] = [
            {"start": str(subnet[first]), "end": str(subnet[last])}
            | ({"lease": draw(LEASES)} if draw(st.booleans()) else {})
            for first, last in draw(st.lists(st.sampled_from(edges), unique=True))
        ]
    if not found.get("ranges") and not found.get("hosts"):
        found.pop("ranges", None)
    if draw(st.booleans()):
        found["bootp"] = {"file": "pxelinux.0"} | ({"server": "192.0.2.9"} if draw(st.booleans()) else {})
        return found
    if draw(st.booleans()):
        found["enabled"] = any(found.get(each) for each in ("start", "ranges", "hosts")) or draw(st.booleans())
    return found


@st.composite
def dns(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.integers(0, 4)) == 0:
        return {"enabled": False}
    found: dict[str, Any] = {"enabled": True} if draw(st.booleans()) else {}
    if draw(st.booleans()):
        found["forwarders"] = draw(st.lists(ADDRESSES, unique=True, max_size=3))
    if draw(st.booleans()):
        addresses = draw(st.lists(ADDRESSES, unique=True, max_size=3))
        names = draw(st.lists(HOST_NAMES, min_size=2 * len(addresses), max_size=2 * len(addresses), unique=True))
        found["hosts"] = [
            {"ip": address, "hostnames": names[2 * i : 2 * i + draw(st.integers(1, 2))]}
            for i, address in enumerate(addresses)
        ]
    if draw(st.booleans()):
        found["domainForwarders"] = draw(st.lists(DOMAIN_FORWARDERS, unique_by=str, max_size=2))
    if draw(st.booleans()):
        found["forwardPlainNames"] = draw(st.booleans())
    if draw(st.booleans()):
        found["txt"] = draw(st.lists(TEXTS, unique_by=lambda each: each["name"], max_size=2))
    if draw(st.booleans()):
        found["srv"] = draw(st.lists(SERVICES, unique_by=lambda each: (each["service"], each["protocol"]), max_size=2))
    return found


LEASES = st.fixed_dictionaries(
    {"expiry": st.integers(2, 999)}, optional={"unit": st.sampled_from(("minutes", "hours"))}
)
DOMAIN_FORWARDERS = st.fixed_dictionaries(
    {"domain": st.sampled_from(("a.example", "b.example"))}, optional={"addr": ADDRESSES}
)
TEXTS = st.fixed_dictionaries({"name": st.sampled_from(("a", "b", "c.example")), "value": st.just("v=1 -all")})
SERVICES = st.fixed_dictionaries(
    {"service": st.sampled_from(("ldap", "sip")), "protocol": st.sampled_from(("tcp", "udp")), "target": HOST_NAMES},
    optional={
        "domain": HOST_NAMES,
        "port": st.integers(1, 65535),
        "priority": st.integers(1, 9),
        "weight": st.integers(1, 9),
    },
)
RATES = st.fixed_dictionaries(
    {"average": st.sampled_from(("1MiB", "100KiB"))}, optional={"peak": st.just("2MiB"), "burst": st.just("64KiB")}
)
BANDWIDTHS = st.fixed_dictionaries({}, optional={"inbound": RATES, "outbound": RATES})
GROUPS = st.fixed_dictionaries(
    {"name": st.sampled_from(("a", "b", "c"))}, optional={"trustGuestRxFilters": st.booleans(), "bandwidth": BANDWIDTHS}
)
SECOND = st.sampled_from(
    (
        {"address": "172.30.1.1", "prefix": 24},
        {"address": "172.30.2.1", "prefix": 28, "localPtr": True, "tftp": "/srv/tftp"},
        {
            "address": "fd00:150::1",
            "prefix": 64,
            "dhcp": {"ranges": [{"start": "fd00:150::10", "end": "fd00:150::20"}]},
        },
        {
            "address": "fd00:151::1",
            "prefix": 64,
            "dhcp": {"hosts": [{"id": "0:3:0:1:52:54:0:12:34:56", "name": "a", "ip": "fd00:151::5"}]},
        },
    )
)


def wire(draw: st.DrawFn, spec: dict[str, Any], *, runs: bool) -> None:
    """What may be said of every bridge that libvirt makes; if it `runs` only what this machine's kernel does."""
    further: dict[str, st.SearchStrategy[Any]] = {
        "ownBridge": st.fixed_dictionaries(
            {},
            optional={
                "name": st.just("onggibr"),
                "stp": st.booleans(),
                "delay": st.integers(0, 9),
                "macTableManager": st.sampled_from(("kernel", "libvirt")),
            },
        ),
        "mac": st.sampled_from(("52:54:00:00:00:01", "52:54:00:AA:BB:CC")),
        "mtu": st.integers(1280, 9000),
        "port": st.fixed_dictionaries({"isolated": st.booleans()}),
        "bandwidth": BANDWIDTHS,
        "portgroups": st.lists(GROUPS, unique_by=lambda each: each["name"], max_size=3),
        "addresses": st.lists(SECOND, unique_by=str, max_size=3),
    }
    if runs:
        del further["bandwidth"], further["addresses"], further["portgroups"]
    for name, values in further.items():
        if draw(st.integers(0, 3)) == 0:
            spec[name] = draw(values)
    if spec.get("addresses") and spec["addresses"][0]["address"] == "172.30.1.1" and draw(st.booleans()):
        spec["routes"] = [{"address": "10.200.0.0", "prefix": 16, "gateway": "172.30.1.9"}]
    if spec["mode"] == "nat" and draw(st.integers(0, 3)) == 0:
        spec["forward"] = draw(
            st.sampled_from(
                (
                    {"interfaces": ["eth7"]},
                    {
                        "nat": {
                            "address": {"start": "192.0.2.10", "end": "192.0.2.20"},
                            "port": {"start": 500, "end": 900},
                        }
                    },
                    {"nat": {"port": {"start": 500, "end": 900}}},
                )
            )
        )
    if "domain" in spec and draw(st.booleans()):
        spec["domainLocalOnly"] = draw(st.booleans())


@st.composite
def own_bridges(
    draw: st.DrawFn, mode: str | None = None, subnet: ipaddress.IPv4Network | None = None
) -> dict[str, Any]:
    """Networks with a bridge that libvirt makes: nat and isolated."""
    spec: dict[str, Any] = {"mode": mode or draw(st.sampled_from(["nat", "isolated", "route", "open"]))}
    chosen = subnet or draw(st.none() | subnets())
    if chosen is not None:
        spec["subnet"] = str(chosen)
        if draw(st.booleans()):
            spec["dhcp"] = draw(dhcp(chosen))
    elif draw(st.booleans()):
        spec["dhcp"] = {"enabled": draw(st.booleans())}
        if "dhcp" not in spec and draw(st.booleans()):
            spec["gateway"] = str(chosen[draw(st.integers(1, chosen.num_addresses - 2))])
    if draw(st.booleans()):
        spec["dns"] = draw(dns())
    if draw(st.booleans()):
        spec["domain"] = draw(HOST_NAMES)
    wire(draw, spec, runs=subnet is not None)
    return spec


def host_bridges() -> st.SearchStrategy[dict[str, Any]]:
    """Networks that join one of the host's."""
    return st.one_of(
        st.builds(lambda name: {"mode": "bridge", "bridge": name}, INTERFACES),
        st.builds(lambda name: {"mode": "bridge", "interface": name}, INTERFACES),
        st.builds(
            lambda name, tag: {"mode": "bridge", "interface": name, "vlan": tag}, INTERFACES, st.integers(1, 4094)
        ),
        st.builds(
            lambda mode, names: {"mode": mode, "forward": {"interfaces": names}},
            st.sampled_from(("private", "vepa", "passthrough")),
            st.lists(INTERFACES, min_size=1, max_size=3, unique=True),
        ),
        st.builds(
            lambda managed: {"mode": "hostdev", "forward": {"addresses": ["0000:03:10.1"], "managed": managed}},
            st.booleans(),
        ),
        st.builds(
            lambda name, tag: {
                "mode": "bridge",
                "bridge": name,
                "virtualport": {"type": "openvswitch"},
                "portgroups": [{"name": "a", "vlan": {"tags": [{"id": tag}]}}],
            },
            INTERFACES,
            st.integers(1, 4094),
        ),
    )


def networks(*, cards: bool = True) -> st.SearchStrategy[dict[str, Any]]:
    """All of them; without `cards` none that hands out the host's own, which libvirt looks for."""
    return own_bridges() | host_bridges().filter(lambda spec: cards or spec["mode"] != "hostdev")
