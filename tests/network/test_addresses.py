"""What an address means, however it is written, and from where onggi fetches because of it. Nothing is connected."""

from __future__ import annotations

import ipaddress
import random

import pytest

from reconciler.errors import SettingsError
from reconciler.network.addresses import INTERNET, Depth, Networks, depth

ITSELF = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "169.254.169.254", "224.0.0.1", "239.255.255.250",
    "::", "::1", "fe80::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:7f00:1::",
    "2001:4860::5efe:7f00:1", "2001:4860::200:5efe:127.0.0.1",
]  # fmt: skip
PRIVATE = [
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "192.0.2.1", "198.18.0.1", "240.0.0.1",
    "255.255.255.255", "fc00::1", "fd12:3456::1", "fec0::1", "2001:db8::1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
    "64:ff9b::c0a8:101", "64:ff9b:1::8.8.8.8", "2002:c0a8:101::", "::8.8.8.8", "100::1", "1000::1", "4000::1",
    "2001:4860::5efe:10.0.0.1",
]  # fmt: skip
OUTSIDE = [
    "8.8.8.8", "192.88.99.1", "1.1.1.1", "172.32.0.1", "2001:4860:4860::8888", "2606:4700::1111", "::ffff:8.8.8.8",
    "64:ff9b::808:808", "2002:808:808::1",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "lies"),
    [(text, lies) for lies, texts in zip(Depth, (OUTSIDE, PRIVATE, ITSELF), strict=True) for text in texts],
)
def test_an_address_lies_as_deep_as_the_worst_that_it_can_mean(text: str, lies: Depth) -> None:
    address = ipaddress.ip_address(text)
    assert depth(address) is lies
    assert INTERNET.allows(address) is (lies is Depth.OUTSIDE)
    assert Networks(private=True).allows(address) is (lies is not Depth.ITSELF)
    assert Networks.anywhere().allows(address)


def test_a_network_that_is_allowed_is_allowed_however_it_is_written_and_no_other_is() -> None:
    networks = Networks.of(["192.168.0.0/16", "fd00::/8", "10.1.2.3"])
    for text in ("192.168.7.7", "::ffff:192.168.7.7", "64:ff9b::192.168.7.7", "fd12::1", "10.1.2.3", "8.8.8.8"):
        assert networks.allows(ipaddress.ip_address(text)), text
    for text in (*ITSELF, "10.1.2.4", "172.16.0.1", "fc00::1", "fec0::1", "::192.168.7.7"):
        assert not networks.allows(ipaddress.ip_address(text)), text


def test_to_allow_everything_is_not_to_allow_this_machine() -> None:
    networks = Networks.of(["0.0.0.0/0", "::/0"])
    for text in ITSELF:
        assert not networks.allows(ipaddress.ip_address(text)), text
    for text in ("10.0.0.1", "fd00::1", "192.168.1.1", "fec0::1"):
        assert networks.allows(ipaddress.ip_address(text)), text
    for text, there in (("127.0.0.0/8", "127.0.0.1"), ("169.254.0.0/16", "169.254.169.254"), ("::1", "::1")):
        assert Networks.of([text]).allows(ipaddress.ip_address(there))


def test_the_machines_own_public_address_is_the_machine() -> None:
    own = frozenset({ipaddress.ip_address("8.8.8.8")})
    for text in ("8.8.8.8", "::ffff:8.8.8.8", "64:ff9b::808:808"):
        assert not INTERNET.allows(ipaddress.ip_address(text), own)
    assert INTERNET.allows(ipaddress.ip_address("8.8.4.4"), own)
    assert Networks.of(["8.8.8.8"]).allows(ipaddress.ip_address("8.8.8.8"), own)


def test_no_way_of_writing_an_inner_address_in_ipv6_leads_inside() -> None:
    chance = random.Random(20261130)
    inside = ["127.0.0.0/8", "10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12", "169.254.0.0/16", "100.64.0.0/10"]
    for _ in range(2000):
        network = ipaddress.ip_network(chance.choice(inside))
        inner = int(network[chance.randrange(network.num_addresses)])
        tail = chance.getrandbits(80)
        for written in (
            0xFFFF << 32 | inner,
            inner,
            0x64FF9B << 96 | inner,
            0x2002 << 112 | inner << 80 | tail,
            0x20010000 << 96 | inner << 64 | (tail & (1 << 64) - 1),
            0x20010000 << 96 | 0x08080808 << 64 | (~inner & 0xFFFFFFFF),
            chance.getrandbits(64) << 64 | 0x5EFE << 32 | inner,
        ):
            address = ipaddress.IPv6Address(written)
            assert not INTERNET.allows(address), address


@pytest.mark.parametrize("wrong", ["", "192.168.0.1/16", "192.168.0.0/33", "home", "fd00::/129", "10.0.0.0-10.0.0.9"])
def test_what_is_no_network_is_told(wrong: str) -> None:
    with pytest.raises(SettingsError, match="allowed-network"):
        Networks.of([wrong])
