"""The laws of every NetworkFilter: what is declared, defined and read again agrees, and its export is the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import libvirt
import pytest
from hypothesis import HealthCheck, given, settings

from reconciler.exporting.networkfilter.exporter import network_filter
from reconciler.observed.snapshot import Observed
from specs.host import Host
from specs.networkfilter import KIND
from specs.reference import NETWORK_FILTER, Ref
from tests.lab.libvirtd import HostObjects
from tests.specs.networkfilter.generated import SPECS
from tests.specs.rendering import assert_at_rest, lowered, new_xml, patch

HOST = Host()
several = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@contextmanager
def defined(connection: libvirt.virConnect, xml: str) -> Iterator[libvirt.virNWFilter]:
    made = connection.nwfilterDefineXML(xml)
    try:
        yield made
    finally:
        made.undefine()


@settings(several, max_examples=60)
@given(spec=SPECS)
def test_what_is_defined_agrees_and_is_exported_whole(
    qemu_connection: libvirt.virConnect, host_objects: HostObjects, spec: dict[str, Any]
) -> None:
    name = host_objects.name("law")
    concrete = lowered(KIND, spec, name=name, host=HOST)
    with defined(qemu_connection, new_xml(KIND, concrete, name=name, host=HOST)) as made:
        before = made.XMLDesc()
        assert_at_rest(KIND, concrete, before)
        document = network_filter(Observed(Ref(NETWORK_FILTER, name), made.UUIDString(), before)).spec
    again = lowered(KIND, document, name=name, host=HOST)
    with defined(qemu_connection, new_xml(KIND, again, name=name, host=HOST, uid=made.UUIDString())) as made:
        assert made.XMLDesc() == before


@settings(several, max_examples=20)
@given(before=SPECS, after=SPECS)
def test_one_can_be_changed_into_any_other(
    qemu_connection: libvirt.virConnect, host_objects: HostObjects, before: dict[str, Any], after: dict[str, Any]
) -> None:
    name = host_objects.name("law")
    start, goal = (lowered(KIND, each, name=name, host=HOST) for each in (before, after))
    with defined(qemu_connection, new_xml(KIND, start, name=name, host=HOST)) as made:
        qemu_connection.nwfilterDefineXML(patch(KIND, goal, made.XMLDesc()))
        assert_at_rest(KIND, goal, made.XMLDesc())


SPELLINGS = [
    ({"protocol": "ip", "match": {"protocol": 17}}, {"protocol": "ip", "match": {"protocol": "udp"}}),
    ({"protocol": "mac", "match": {"protocolid": "0x806"}}, {"protocol": "mac", "match": {"protocolid": "arp"}}),
    ({"protocol": "tcp", "match": {"flags": "ALL/none"}}, {"protocol": "tcp", "match": {"flags": "ALL/NONE"}}),
    (
        {"protocol": "all", "match": {"srcipaddr": "192.0.2.1", "srcipmask": "255.255.255.0"}},
        {"protocol": "all", "match": {"srcipaddr": "192.0.2.1", "srcipmask": 24}},
    ),
    ({"protocol": "tcp", "match": {"dstportstart": "0x50"}}, {"protocol": "tcp", "match": {"dstportstart": 80}}),
    ({"priority": 500, "stateMatch": True}, {}),
]


@pytest.mark.parametrize(("one", "other"), SPELLINGS)
def test_two_spellings_are_one_rule(one: dict[str, Any], other: dict[str, Any]) -> None:
    def of(rule: dict[str, Any]) -> dict[str, Any]:
        return lowered(KIND, {"rules": [{"action": "drop", "direction": "in", **rule}]}, name="web", host=HOST)

    assert_at_rest(KIND, of(one), new_xml(KIND, of(other), name="web", host=HOST))
