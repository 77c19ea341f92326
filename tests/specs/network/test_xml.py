"""Networks as XML: what a new one looks like, what is left alone, and what a change costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from specs.binding import parse, read, serialise
from specs.comparing import differences
from specs.effect import Effect
from specs.host import Feature, Host
from specs.network import KIND
from specs.problem import Unrenderable
from tests.specs.rendering import assert_at_rest, drift, golden, lowered, new_xml, patch

HOST = Host(features=frozenset({Feature.HOST_INTERFACES}), used_subnets=("192.168.123.0/24",))

# As libvirt writes a network that somebody made by hand and that runs: its own additions, and parts that no spec knows.
RUNNING = """
<network connections='2'>
  <name>lab</name>
  <uuid>7b786eb8-30e7-4574-84c6-66080992514b</uuid>
  <forward mode='nat'>
    <nat>
      <port start='1024' end='65535'/>
    </nat>
  </forward>
  <bridge name='virbr7' stp='on' delay='0'/>
  <mac address='52:54:00:9d:73:95'/>
  <mtu size='9000'/>
  <domain name='lab.example' localOnly='yes'/>
  <dns>
    <forwarder domain='corp.example' addr='192.0.2.1'/>
    <forwarder addr='192.0.2.54'/>
    <forwarder addr='192.0.2.53'/>
    <txt name='x' value='y'/>
    <host ip='10.1.0.12'>
      <hostname>b2</hostname>
      <hostname>b1</hostname>
    </host>
    <host ip='10.1.0.11'>
      <hostname>a</hostname>
    </host>
  </dns>
  <ip family='ipv6' address='fd00:1::1' prefix='64'>
    <dhcp>
      <range start='fd00:1::100' end='fd00:1::1ff'/>
    </dhcp>
  </ip>
  <ip address='10.1.0.1' netmask='255.255.255.0'>
    <tftp root='/srv/tftp'/>
    <dhcp>
      <range start='10.1.0.50' end='10.1.0.99'/>
      <host name='by-name' ip='10.1.0.7'/>
      <host mac='52:54:00:00:00:0B' ip='10.1.0.12'/>
      <host mac='52:54:00:00:00:0a' name='a' ip='10.1.0.11'/>
      <bootp file='pxelinux.0'/>
    </dhcp>
  </ip>
  <ip address='10.2.0.1' prefix='24'/>
  <portgroup name='fast'/>
</network>
"""
SPEC: dict[str, Any] = {
    "mode": "nat",
    "subnet": "10.1.0.0/24",
    "domain": "lab.example",
    "dhcp": {
        "enabled": True,
        "start": "10.1.0.50",
        "end": "10.1.0.99",
        "hosts": [
            {"mac": "52:54:00:00:00:0A", "ip": "10.1.0.11"},
            {"mac": "52:54:00:00:00:0b", "ip": "10.1.0.12"},
        ],
    },
    "dns": {
        "enabled": True,
        "forwarders": ["192.0.2.53", "192.0.2.54"],
        "hosts": [{"ip": "10.1.0.11", "hostnames": ["a"]}, {"ip": "10.1.0.12", "hostnames": ["b1", "b2"]}],
    },
}


def concrete(**changes: Any) -> dict[str, Any]:
    return lowered(KIND, {**SPEC, **changes}, name="lab", host=HOST)


@pytest.mark.parametrize(
    ("name", "spec", "xml"), [pytest.param(*pair, id=pair[0]) for pair in golden(Path(__file__).parent / "golden")]
)
def test_a_new_network_looks_like_this(name: str, spec: dict[str, Any], xml: str) -> None:
    assert new_xml(KIND, lowered(KIND, spec, name=name, host=HOST), name=name, host=HOST) == xml


def test_what_libvirt_and_others_add_is_no_drift() -> None:
    found = read(KIND.xml.BINDS, parse(RUNNING))
    # An address that others gave to a name is told beside those that are declared, and stays.
    assert differences(KIND.xml.BINDS, concrete(), found) == ([], ["/dhcp/hosts/by-name"])
    assert patch(KIND, concrete(), RUNNING) == serialise(parse(RUNNING))


def test_what_is_not_declared_is_not_compared() -> None:
    assert_at_rest(KIND, {"mode": "nat"}, RUNNING)


def test_each_change_names_its_field_and_its_effect() -> None:
    wanted = concrete(
        mode="isolated",
        domain="other.example",
        dhcp={
            "start": "10.1.0.60",
            "end": "10.1.0.89",
            "hosts": [
                {"mac": "52:54:00:00:00:0a", "ip": "10.1.0.13", "name": "aa"},
                {"mac": "52:54:00:00:00:0c", "ip": "10.1.0.14"},
            ],
        },
        dns={"forwarders": ["192.0.2.53"], "hosts": [{"ip": "10.1.0.11", "hostnames": ["a", "aa"]}]},
    )
    assert {(change.pointer, change.effect) for change in drift(KIND, wanted, RUNNING)} == {
        ("/mode", Effect.NEXT_BOOT),
        ("/domain", Effect.NEXT_BOOT),
        ("/dhcp/start", Effect.LIVE),
        ("/dhcp/end", Effect.LIVE),
        ("/dhcp/hosts/52:54:00:00:00:0a/ip", Effect.LIVE),
        ("/dhcp/hosts/52:54:00:00:00:0a/name", Effect.LIVE),
        ("/dhcp/hosts/52:54:00:00:00:0b", Effect.LIVE),
        ("/dhcp/hosts/52:54:00:00:00:0c", Effect.LIVE),
        ("/dns/forwarders", Effect.NEXT_BOOT),
        ("/dns/hosts/10.1.0.11/hostnames", Effect.LIVE),
        ("/dns/hosts/10.1.0.12", Effect.LIVE),
    }


def test_a_change_leaves_what_it_does_not_know() -> None:
    changed = patch(KIND, concrete(domain="other.example", dhcp={"hosts": []}, dns={"forwarders": []}), RUNNING)
    for kept in ("<mtu", "tftp", "bootp", "by-name", "portgroup", "<txt", "corp.example", "fd00:1::100", "10.2.0.1"):
        assert kept in changed
    assert "52:54:00:00:00:0b" not in changed.lower()


def test_another_subnet_takes_dhcp_along() -> None:
    wanted = {"mode": "nat", "subnet": "10.9.0.0/24"}
    changed = patch(KIND, wanted, RUNNING)
    observed = read(KIND.xml.BINDS, parse(changed))
    assert observed["subnet"] == "10.9.0.0/24"
    assert observed["dhcp"] == {"enabled": True, "start": "10.9.0.2", "end": "10.9.0.254", "hosts": []} | {
        "ranges": [{"start": "10.9.0.2", "end": "10.9.0.254"}],
        "bootp": {"file": "pxelinux.0"},
    }
    assert "10.2.0.1" in changed
    assert_at_rest(KIND, wanted, changed)


def test_a_network_that_joins_a_bridge_keeps_nothing_of_its_own_one() -> None:
    changed = patch(KIND, {"mode": "bridge", "bridge": "br0"}, RUNNING)
    assert "10.1.0.1" not in changed
    assert "virbr7" not in changed
    assert read(KIND.xml.BINDS, parse(changed))["bridge"] == "br0"


def test_the_name_of_libvirts_own_bridge_is_not_part_of_the_observed_spec() -> None:
    observed = read(KIND.xml.BINDS, parse(RUNNING))
    assert "bridge" not in observed
    assert "interface" not in observed


def test_other_ways_to_forward_are_told_apart() -> None:
    routed = RUNNING.replace("mode='nat'", "mode='route'")
    changes, _ = differences(KIND.xml.BINDS, concrete(), read(KIND.xml.BINDS, parse(routed)))
    assert [(change.pointer, change.old, change.new) for change in changes] == [("/mode", "route", "nat")]


def test_dhcp_without_any_subnet_says_what_is_missing() -> None:
    with pytest.raises(Unrenderable, match="declare its `subnet`"):
        patch(KIND, {"mode": "isolated", "dhcp": {"enabled": True}}, "<network><name>lab</name></network>")
