"""What libvirt would refuse of a network is said before it is asked, each with its place in the spec."""

from __future__ import annotations

from tests.specs.written import told_of

LARGE = """
    mode: nat
    subnet: 10.0.0.0/8
"""


def test_a_range_stays_inside_what_libvirt_can_hand_out() -> None:
    told = told_of("Network", LARGE + "    dhcp: {start: 10.0.255.250, end: 10.1.0.5}\n")
    assert told["/dhcp/end"].endswith("can't go beyond 10.0.255.255; end it there or before.")
    assert told_of("Network", LARGE + "    dhcp: {start: 10.0.0.2, end: 10.0.255.255}\n") == {}


def test_a_dhcp_host_name_begins_with_a_letter_or_digit() -> None:
    told = told_of("Network", LARGE + "    dhcp: {hosts: [{mac: 52:54:00:00:00:01, ip: 10.0.0.9, name: _web}]}\n")
    assert list(told) == ["/dhcp/hosts/0/name"]


def test_a_dns_name_belongs_to_one_address() -> None:
    hosts = "[{ip: 10.0.0.8, hostnames: [web]}, {ip: 10.0.0.9, hostnames: [www, web]}]"
    assert list(told_of("Network", LARGE + f"    dns: {{hosts: {hosts}}}\n")) == ["/dns/hosts/1/hostnames/1"]


def test_a_dns_that_is_off_has_no_contents() -> None:
    told = told_of("Network", LARGE + "    dns: {enabled: false, forwarders: [192.0.2.1]}\n")
    assert told == {"/dns/enabled": "DNS is switched off, so `forwarders` has no meaning; remove one of the two."}
