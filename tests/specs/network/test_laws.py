"""The law of every Network: what is declared, defined and read again agrees with what was declared."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import libvirt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.planning.diff import managed_items
from specs.binding import parse, patched, serialise
from specs.host import Feature, Host
from specs.network import KIND
from specs.network.model import has_own_bridge
from tests.lab.libvirtd import HostObjects
from tests.specs.network import generated
from tests.specs.rendering import assert_at_rest, drift, lowered, new_xml

HOST = Host(features=frozenset(Feature), used_subnets=("192.168.123.0/24",))

several = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@contextmanager
def defined(connection: libvirt.virConnect, xml: str) -> Iterator[libvirt.virNetwork]:
    network = connection.networkDefineXML(xml)
    try:
        yield network
    finally:
        with suppress(libvirt.libvirtError):
            network.destroy()
        network.undefine()


@pytest.fixture
def test_driver(private_test_uri: str) -> Iterator[libvirt.virConnect]:
    connection = libvirt.open(private_test_uri)
    yield connection
    connection.close()


@settings(several, max_examples=150)
@given(spec=generated.networks())
def test_what_is_defined_on_the_test_driver_agrees(test_driver: libvirt.virConnect, spec: dict[str, Any]) -> None:
    concrete = lowered(KIND, spec, name="tc-law", host=HOST)
    with defined(test_driver, new_xml(KIND, concrete, name="tc-law", host=HOST)) as network:
        assert_at_rest(KIND, concrete, network.XMLDesc())


@settings(several, max_examples=40)
@given(spec=generated.networks(cards=False))
def test_what_is_defined_on_qemu_agrees(
    qemu_connection: libvirt.virConnect, host_objects: HostObjects, spec: dict[str, Any]
) -> None:
    name = host_objects.name("tc-law")
    concrete = lowered(KIND, spec, name=name, host=HOST)
    with defined(qemu_connection, new_xml(KIND, concrete, name=name, host=HOST)) as network:
        assert_at_rest(KIND, concrete, network.XMLDesc(libvirt.VIR_NETWORK_XML_INACTIVE))


@settings(several, max_examples=150)
@given(before=generated.networks(), after=generated.networks())
def test_any_network_can_be_changed_into_any_other(
    test_driver: libvirt.virConnect, before: dict[str, Any], after: dict[str, Any]
) -> None:
    if not has_own_bridge(before) and has_own_bridge(after):
        after.setdefault("subnet", "192.168.124.0/24")  # planning remembers or chooses one for a new network only
    start = lowered(KIND, before, name="tc-law", host=HOST)
    goal = lowered(KIND, after, name="tc-law", host=HOST)
    with defined(test_driver, new_xml(KIND, start, name="tc-law", host=HOST)) as network:
        # What an earlier revision said goes when it isn't said any more, as planning has it.
        managed = managed_items(start, KIND.xml.BINDS)
        wanted = patched(KIND.xml.BINDS, parse(network.XMLDesc()), goal, managed)
        test_driver.networkDefineXML(serialise(wanted))
        assert_at_rest(KIND, goal, network.XMLDesc())


@settings(several, max_examples=4)
@given(data=st.data())
def test_a_running_network_agrees_too(
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    free_subnet: ipaddress.IPv4Network,
    data: st.DataObject,
) -> None:
    name = host_objects.name("tc-run")
    spec = data.draw(generated.own_bridges(mode="isolated", subnet=free_subnet))
    concrete = lowered(KIND, spec, name=name, host=HOST)
    with defined(qemu_connection, new_xml(KIND, concrete, name=name, host=HOST)) as network:
        network.create()
        assert drift(KIND, concrete, network.XMLDesc()) == []
        assert_at_rest(KIND, concrete, network.XMLDesc(libvirt.VIR_NETWORK_XML_INACTIVE))
