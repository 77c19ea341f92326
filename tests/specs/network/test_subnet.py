"""Choosing a subnet that nobody uses."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specs.network.subnet import free_subnet, whole_range
from specs.problem import Unrenderable


def test_the_first_choice_leaves_room_for_the_network_of_libvirts_packages() -> None:
    assert free_subnet([]) == "192.168.123.0/24"


def test_what_is_taken_is_passed_over_in_part_or_whole() -> None:
    assert free_subnet(["192.168.123.128/25", "192.168.124.7/24", "192.168.125.1/32"]) == "192.168.126.0/24"
    assert free_subnet(["192.168.0.0/16"]) == "10.123.0.0/24"


def test_what_takes_no_ipv4_addresses_is_passed_over() -> None:
    assert free_subnet(["0.0.0.0/0", "fd00::/8", "", "nonsense"]) == "192.168.123.0/24"


def test_a_host_that_uses_everything_is_told_what_to_do() -> None:
    with pytest.raises(Unrenderable, match="declare a `subnet`"):
        free_subnet(["192.168.0.0/16", "10.0.0.0/8"])


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(16, 32)), max_size=40))
def test_the_choice_never_overlaps_what_is_used(taken: list[tuple[int, int]]) -> None:
    used = [f"192.168.{octet}.0/{prefix}" for octet, prefix in taken]
    chosen = ipaddress.ip_network(free_subnet(used))
    assert chosen.prefixlen == 24
    assert chosen.is_private
    assert not any(chosen.overlaps(ipaddress.ip_network(text, strict=False)) for text in used)


@pytest.mark.parametrize(
    ("subnet", "first", "last"),
    [
        ("192.168.150.0/24", "192.168.150.2", "192.168.150.254"),
        ("10.0.0.0/29", "10.0.0.2", "10.0.0.6"),
        ("10.0.0.0/8", "10.0.0.2", "10.0.255.255"),
        ("10.0.0.0/30", "10.0.0.2", "10.0.0.2"),
    ],
)
def test_dhcp_hands_out_all_but_the_gateway(subnet: str, first: str, last: str) -> None:
    assert whole_range(ipaddress.IPv4Network(subnet)) == (first, last)
