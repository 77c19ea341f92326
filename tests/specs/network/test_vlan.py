"""The host's bridge for a VLAN."""

from __future__ import annotations

import libvirt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specs.host import Feature, Host
from specs.network import KIND
from specs.network.vlan import vlan_bridge_name, vlan_bridge_xml
from specs.problem import Unrenderable
from tests.specs.network.generated import INTERFACES
from tests.specs.rendering import lowered

VLAN = {"mode": "bridge", "interface": "eth1", "vlan": 42}


def test_libvirt_makes_the_bridge_over_the_tagged_interface(private_test_uri: str) -> None:
    connection = libvirt.open(private_test_uri)
    name, xml = vlan_bridge_xml("eth1", 42)
    connection.interfaceDefineXML(xml).create()
    assert name in [each.name() for each in connection.listAllInterfaces(libvirt.VIR_CONNECT_LIST_INTERFACES_ACTIVE)]
    made = connection.interfaceLookupByName(name).XMLDesc()
    assert "<vlan tag='42'>" in made
    assert "<interface name='eth1'/>" in made
    connection.close()


def test_the_network_joins_that_bridge() -> None:
    host = Host(features=frozenset({Feature.HOST_INTERFACES}))
    concrete = lowered(KIND, VLAN, name="office", host=host)
    assert concrete == {"mode": "bridge", "bridge": vlan_bridge_xml("eth1", 42)[0]}


def test_a_connection_without_host_interfaces_says_what_to_do_instead() -> None:
    with pytest.raises(Unrenderable, match=r"make a bridge over eth1\.42 there, and declare it as `bridge`"):
        lowered(KIND, VLAN, name="office", host=Host())


def test_a_short_name_stays_readable() -> None:
    assert vlan_bridge_name("eth1", 42) == "onggi-eth1-42"


@given(INTERFACES, INTERFACES, st.integers(1, 4094), st.integers(1, 4094))
def test_names_fit_and_differ(interface: str, other: str, vlan: int, other_vlan: int) -> None:
    name = vlan_bridge_name(interface, vlan)
    assert len(name) <= 15
    assert name == vlan_bridge_name(interface, vlan)
    if vlan != other_vlan:
        assert name != vlan_bridge_name(interface, other_vlan)
        assert name != vlan_bridge_name(other, other_vlan)
