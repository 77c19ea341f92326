"""The gateway of a network: where it is declared, where it stays, and that a move is told."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.desired.state import DesiredState, Resource
from reconciler.exporting.network.network import network as exported
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.operations import Define
from reconciler.planning.planner import Planner
from specs.binding import parse, read
from specs.host import Host
from specs.mark import Mark
from specs.network import KIND
from tests.planning.values import REPOSITORY, REVISION
from tests.planning.values import network as named
from tests.specs.rendering import assert_at_rest, drift, lowered, new_xml, patch
from tests.specs.written import told_of

LAN = named("lan")
UID = "7b786eb8-30e7-4574-84c6-66080992514b"
DHCP = "<range start='10.1.0.1' end='10.1.0.200'/><host mac='52:54:00:00:00:0A' name='a' ip='10.1.0.7'/>"


def network(address: str = "10.1.0.254", dhcp: str = DHCP, rest: str = "") -> str:
    return f"""<network><name>lan</name><uuid>{UID}</uuid><forward mode='nat'/><bridge name='virbr7'/>{rest}
      <ip address='{address}' prefix='24'><dhcp>{dhcp}</dhcp></ip></network>"""


def concrete(**spec: Any) -> dict[str, Any]:
    return lowered(KIND, {"mode": "nat", **spec}, name="lan", host=Host())


def gateway_of(text: str) -> str:
    found: str = read(KIND.xml.BINDS, parse(text))["gateway"]
    return found


def planned(spec: dict[str, Any], text: str) -> tuple[list[tuple[str, Any, Any]], str]:
    """The changes that a plan tells of a network, and the definition that it makes."""
    seen = Observed(LAN, UID, text, mark=Mark(REPOSITORY, "lan"))
    resource = Resource(LAN, UID, {"mode": "nat", "active": False, **spec}, "lan.yaml", 1)
    plan = Planner().plan(DesiredState(REVISION, REPOSITORY, {LAN: resource}), Snapshot(1, Host(), {LAN: seen}), {})
    [step] = plan.steps
    [define] = [operation for operation in step.operations if isinstance(operation, Define)]
    return [(change.pointer, change.old, change.new) for change in step.changes], define.xml


def test_a_new_network_has_the_declared_one_and_by_default_the_first() -> None:
    for spec, address in (({}, "10.1.0.1"), ({"gateway": "10.1.0.254"}, "10.1.0.254")):
        wanted = concrete(subnet="10.1.0.0/24", **spec)
        text = new_xml(KIND, wanted, name="lan", host=Host())
        assert gateway_of(text) == address
        assert_at_rest(KIND, wanted, text)


@pytest.mark.parametrize(
    ("gateway", "first", "last"),
    [
        ("10.1.0.1", "10.1.0.2", "10.1.0.254"),
        ("10.1.0.254", "10.1.0.1", "10.1.0.253"),
        ("10.1.0.100", "10.1.0.1", "10.1.0.254"),  # a DHCP server never hands out its own address
    ],
)
def test_dhcp_hands_out_everything_beside_it(gateway: str, first: str, last: str) -> None:
    text = new_xml(KIND, concrete(subnet="10.1.0.0/24", gateway=gateway), name="lan", host=Host())
    dhcp = read(KIND.xml.BINDS, parse(text))["dhcp"]
    assert (dhcp["start"], dhcp["end"]) == (first, last)


def test_one_that_nobody_declared_is_no_drift() -> None:
    assert_at_rest(KIND, concrete(subnet="10.1.0.0/24"), network())


@pytest.mark.parametrize(
    ("subnet", "after", "told"),
    [
        ("10.1.0.0/16", "10.1.0.254", []),  # it still fits, and stays
        ("10.9.0.0/24", "10.9.0.1", [("/gateway", "10.1.0.254", "10.9.0.1")]),
    ],
)
def test_another_subnet_keeps_it_or_the_plan_says_where_it_goes(
    subnet: str, after: str, told: list[tuple[str, Any, Any]]
) -> None:
    changes, text = planned({"subnet": subnet}, network())
    assert changes == [("/subnet", "10.1.0.0/24", subnet), *told]
    assert gateway_of(text) == after


def test_a_first_address_becomes_the_new_subnets_first_without_further_words() -> None:
    changes, text = planned({"subnet": "10.9.0.0/24"}, network("10.1.0.1"))
    assert [pointer for pointer, _, _ in changes] == ["/subnet"]
    assert gateway_of(text) == "10.9.0.1"


def test_a_declared_one_moves_and_takes_along_what_points_at_it() -> None:
    before = network(dhcp="<bootp file='pxelinux.0' server='10.1.0.254'/>")
    wanted = concrete(subnet="10.1.0.0/24", gateway="10.1.0.1")
    assert [(change.pointer, change.new) for change in drift(KIND, wanted, before)] == [("/gateway", "10.1.0.1")]
    after = patch(KIND, wanted, before)
    assert parse(after).find("ip/dhcp/bootp[@server='10.1.0.1']") is not None
    assert_at_rest(KIND, wanted, after)


def test_static_routes_that_can_be_reached_no_more_go_with_the_subnet() -> None:
    routes = "<route address='10.7.0.0' prefix='16' gateway='10.1.0.9'/>"
    assert parse(patch(KIND, concrete(subnet="10.1.0.0/16"), network(rest=routes))).find("route") is not None
    assert parse(patch(KIND, concrete(subnet="10.9.0.0/24"), network(rest=routes))).find("route") is None


@pytest.mark.parametrize(
    ("spec", "pointer", "words"),
    [
        ("    subnet: 10.1.0.0/24\n    gateway: 10.2.0.1\n", "/gateway", "isn't in the subnet 10.1.0.0/24"),
        ("    subnet: 10.1.0.0/24\n    gateway: 10.1.0.255\n", "/gateway", "the subnet's own address"),
        ("    gateway: 10.1.0.1\n", "/gateway", "needs a `subnet`"),
        (
            "    subnet: 10.1.0.0/24\n    gateway: 10.1.0.9\n    dhcp: {start: 10.1.0.9, end: 10.1.0.20}\n",
            "/dhcp/start",
            "10.1.0.9 is the gateway's address; write one from 10.1.0.1 to 10.1.0.254",
        ),
    ],
)
def test_it_lies_in_the_subnet_and_is_nobody_elses(spec: str, pointer: str, words: str) -> None:
    told = told_of("Network", f"    mode: nat\n{spec}")
    assert list(told) == [pointer]
    assert words in told[pointer]


def test_the_export_keeps_range_hosts_and_gateway() -> None:
    draft = exported(Observed(LAN, UID, network()))
    assert draft.spec | {"active": True} == {
        "mode": "nat",
        "subnet": "10.1.0.0/24",
        "gateway": "10.1.0.254",
        "ownBridge": {"name": "virbr7"},
        "dhcp": {
            "start": "10.1.0.1",
            "end": "10.1.0.200",
            "hosts": [{"mac": "52:54:00:00:00:0a", "ip": "10.1.0.7", "name": "a"}],
        },
        "active": True,
    }
    assert draft.left == []


def test_the_export_tells_the_truth_of_a_range_that_no_document_can_say_and_keeps_the_hosts() -> None:
    draft = exported(Observed(LAN, UID, network("10.1.0.1")))
    assert list(draft.spec["dhcp"]) == ["hosts"]
    [sentence] = draft.left
    assert "from 10.1.0.1 to 10.1.0.200: 10.1.0.1 is the gateway's address" in sentence
