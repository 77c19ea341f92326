"""What is told of networks that libvirt would refuse, or pass over without a word."""

from __future__ import annotations

import pytest

from tests.specs.written import told_of

NAT = "mode: nat, subnet: 192.168.150.0/24"


def handed_out(dhcp: str) -> str:
    return f"{NAT}, addresses: [{{address: 'fd00::1', prefix: 64, dhcp: {dhcp}}}]"


def ranges(*each: tuple[int, int]) -> str:
    return ", ".join(f"{{start: 192.168.150.{first}, end: 192.168.150.{last}}}" for first, last in each)


WRONG = [
    ("mode: nat, forward: {pf: eth0}", "/forward/pf", "passthrough, hostdev"),
    ("mode: hostdev", "/mode", "needs cards of the host"),
    ("mode: vepa, forward: {interfaces: [eth0]}, subnet: 10.0.0.0/24", "", "has no `subnet`"),
    ("mode: nat, forward: {interfaces: [eth0, eth1]}", "/forward/interfaces", "one NIC"),
    ("mode: passthrough, forward: {pf: eth0, interfaces: [eth1]}", "/forward/pf", "remove one of the two"),
    ("mode: vepa, forward: {interfaces: [eth0]}, bandwidth: {inbound: {average: 1MiB}}", "/bandwidth", "remove it"),
    (f"{NAT}, forward: {{nat: {{ipv6: true}}}}", "/forward/nat/ipv6", "no address of IPv6"),
    (f"{NAT}, forward: {{nat: {{port: {{start: 9, end: 8}}}}}}", "/forward/nat/port/end", "exchange"),
    (f"{NAT}, switchVlan: {{tags: [{{id: 1}}]}}", "/switchVlan", "knows no such thing"),
    (f"{NAT}, bandwidth: {{inbound: {{average: 1MiB, floor: 1MiB}}}}", "/bandwidth/inbound", "floor"),
    (f"{NAT}, portgroups: [{{name: a}}, {{name: a}}]", "/portgroups/1/name", "this name already"),
    (
        f"{NAT}, portgroups: [{{name: a, default: true}}, {{name: b, default: true}}]",
        "/portgroups/1/default",
        "already",
    ),
    (f"{NAT}, portgroups: [{{name: a, vlan: {{tags: [{{id: 1}}]}}}}]", "/portgroups/0/vlan", "knows no such thing"),
    (f"{NAT}, addresses: [{{address: 192.168.150.9, prefix: 25}}]", "/addresses/0/address", "overlaps"),
    (f"{NAT}, addresses: [{{address: 10.0.0.1, prefix: 64}}]", "/addresses/0/prefix", "at most 32"),
    (
        handed_out("{hosts: [{mac: '52:54:00:00:00:01', ip: 'fd00::9'}]}"),
        "/addresses/0/dhcp/hosts/0/mac",
        "`id` (DUID)",
    ),
    (
        handed_out("{hosts: [{name: a, ip: 'fd01::9'}]}"),
        "/addresses/0/dhcp/hosts/0/ip",
        "fd00::/64",
    ),
    (
        f"{NAT}, dhcp: {{ranges: [{ranges((10, 20), (20, 30))}]}}",
        "/dhcp/ranges/1",
        "make them apart",
    ),
    (f"{NAT}, dhcp: {{ranges: [{{start: 192.168.150.20, end: 192.168.151.30}}]}}", "/dhcp/ranges/0", "isn't inside"),
    (f"{NAT}, dhcp: {{ranges: [{{start: 192.168.150.20, end: 192.168.150.255}}]}}", "/dhcp/ranges/0/end", "broadcast"),
    (
        f"{NAT}, dhcp: {{start: 192.168.150.20, end: 192.168.150.30, ranges: [{ranges((40, 50))}]}}",
        "/dhcp/ranges",
        "are a range already",
    ),
    (f"{NAT}, dhcp: {{ranges: []}}", "/dhcp/ranges", "nothing at all"),
    (f"{NAT}, dhcp: {{hosts: [{{ip: 192.168.150.20}}]}}", "/dhcp/hosts/0", "for a `mac` or for a `name`"),
    (f"{NAT}, routes: [{{address: 10.9.0.1, prefix: 16, gateway: 192.168.150.2}}]", "/routes/0/address", "with 16"),
    (f"{NAT}, routes: [{{address: 10.9.0.0, prefix: 16, gateway: 10.8.0.1}}]", "/routes/0/gateway", "can't be reached"),
    (f"{NAT}, routes: [{{address: 'fd09::', prefix: 16, gateway: 'fd00::1'}}]", "/routes/0/family", "family: ipv6"),
    (f"{NAT}, dns: {{txt: [{{name: a, value: b}}, {{name: A, value: c}}]}}", "/dns/txt/1", "says this already"),
    (f"{NAT}, dns: {{srv: [{{service: a, protocol: tcp, port: 9}}]}}", "/dns/srv/0/port", "write its `target`"),
    (f"{NAT}, dns: {{enabled: false, txt: [{{name: a, value: b}}]}}", "/dns/enabled", "`txt` has no meaning"),
    (f"{NAT}, domainLocalOnly: true", "", "is about a `domain`"),
    ("mode: route, subnet: none", "/subnet", "needs addresses"),
    ("mode: isolated, subnet: none, gateway: 10.0.0.1", "/gateway", "needs a `subnet`"),
]


@pytest.mark.parametrize(("spec", "pointer", "words"), WRONG, ids=[each[0] for each in WRONG])
def test_what_libvirt_never_takes_is_told_before(spec: str, pointer: str, words: str) -> None:
    told = told_of("Network", f"{{{spec}}}")
    assert any(where.startswith(pointer) and words in sentence for where, sentence in told.items()), told


GOOD = [
    "mode: isolated, subnet: none",
    "mode: open, subnet: 192.0.2.8/29, addresses: [{address: '2001:db8::1', prefix: 64}]",
    "mode: route, subnet: none, addresses: [{address: '2001:db8::1', prefix: 64}]",
    "mode: hostdev, forward: {addresses: ['0000:03:10.1'], managed: true}",
    "mode: bridge, forward: {interfaces: [eth0, eth1]}",
    "mode: private, forward: {interfaces: [eth0]}, virtualport: {type: 802.1Qbh, profileId: a}",
]


@pytest.mark.parametrize("spec", GOOD)
def test_what_libvirt_takes_is_taken(spec: str) -> None:
    assert told_of("Network", f"{{{spec}}}") == {}
