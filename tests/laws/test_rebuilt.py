"""The law of an export: whatever a definition says, its document makes again.

Pure, over generated specs of each kind; `tests/corpus/test_rebuilt.py` has libvirt decide what hosts really have.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.exporting.draft import Surroundings
from reconciler.exporting.export import draft_of
from reconciler.exporting.whole import complete, held_by, new_definition
from reconciler.observed.snapshot import Observed, Snapshot
from specs.binding import Element, parse
from specs.facts import compare
from specs.host import Feature, Host
from specs.network import KIND as NETWORKS
from specs.overlay.checking import mistakes_in
from specs.overlay.writing import FIELD
from specs.reference import Ref
from specs.registry import Kind
from specs.storagepool import KIND as POOLS
from specs.virtualmachine import KIND as MACHINES
from tests.specs.network import generated as networks
from tests.specs.rendering import UID, new_xml
from tests.specs.storagepool import generated as pools
from tests.specs.virtualmachine import machines
from tests.specs.virtualmachine.world import TEST_DRIVER

HOST = Host(features=frozenset(Feature), used_subnets=("192.168.123.0/24",), domain_types=("test",))


def assert_law(kind: Kind, xml: str, host: Host) -> Element:
    """Draft, complete, render from nothing, compare."""
    ref = Ref(kind.name, "law")
    draft = draft_of(Observed(ref, UID, xml), Surroundings(Snapshot(1, host, {})))
    complete(draft, xml, host)
    made = new_definition(ref, UID, draft.spec, host, parse(xml))
    found = compare(parse(xml), made)
    assert (found.lost, found.added, draft.left) == ((), (), []), draft.spec
    assert held_by(draft, xml, host).kept == found.total
    if FIELD in draft.spec:
        assert mistakes_in(kind.name, "law", draft.spec, draft.spec[FIELD]) == []
    return made


@settings(max_examples=40)
@given(spec=networks.networks())
def test_any_network_is_made_again(spec: dict[str, Any]) -> None:
    lowered = NETWORKS.xml.lower(spec, name="law", uid="", host=HOST)
    assert_law(NETWORKS, new_xml(NETWORKS, lowered, name="law", host=HOST), HOST)


@pytest.mark.parametrize("type_", sorted(pools.BY_TYPE))
@settings(max_examples=15)
@given(data=st.data())
def test_any_pool_is_made_again(type_: str, data: st.DataObject) -> None:
    lowered = POOLS.xml.lower(data.draw(pools.BY_TYPE[type_]), name="law", uid="", host=HOST)
    assert_law(POOLS, new_xml(POOLS, lowered, name="law", host=HOST), HOST)


@settings(max_examples=50)
@given(spec=machines.specs())
def test_any_machine_is_made_again(spec: dict[str, Any]) -> None:
    lowered = MACHINES.xml.lower(spec, name="law", uid=UID, host=TEST_DRIVER)
    assert_law(MACHINES, new_xml(MACHINES, lowered, name="law", host=TEST_DRIVER), TEST_DRIVER)
