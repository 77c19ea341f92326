"""A bridge network over a device that the host hasn't: told at once, not started, and nobody else waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.desired.state import DesiredState, Resource
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.operations import Define, SetAutostart, Start
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Plan
from reconciler.planning.plan_options import PlanOptions
from reconciler.planning.planner import Planner
from specs.host import Feature, Host
from tests.planning.test_activation import uid
from tests.planning.values import REPOSITORY, REVISION, network

NET, OTHER = network("lab"), network("other")
THERE = frozenset({"lo", "eth0", "br0"})


def plan(
    spec: Mapping[str, Any],
    *objects: Observed,
    interfaces: frozenset[str] | None = THERE,
    features: frozenset[Feature] = frozenset(),
) -> Plan:
    resources = {
        NET: Resource(NET, uid("lab"), {"mode": "bridge", **spec}, "net.yaml", 1),
        OTHER: Resource(OTHER, uid("other"), {"mode": "bridge", "bridge": "br0"}, "other.yaml", 1),
    }
    owned = {each.ref: Owned(each.ref, each.uid, facts={Fact.DIGEST: "earlier"}) for each in objects}
    snapshot = Snapshot(1, Host(interfaces=interfaces, features=features), {each.ref: each for each in objects})
    return Planner().plan(DesiredState(REVISION, REPOSITORY, resources), snapshot, owned, frozenset(), PlanOptions())


def there(device: str, *, active: bool) -> Observed:
    xml = (
        f"<network><name>lab</name><uuid>{uid('lab')}</uuid>"
        f"<forward mode='bridge'><interface dev='{device}'/></forward></network>"
    )
    return Observed(NET, uid("lab"), xml, xml if active else None, "active" if active else "inactive")


def done(made: Plan, ref: Any) -> list[type]:
    return [type(operation) for step in made.steps if step.ref == ref for operation in step.operations]


@pytest.mark.parametrize("spec", [{"interface": "eth9"}, {"bridge": "br9"}])
def test_a_new_one_is_defined_and_not_started_and_its_neighbour_is(spec: dict[str, Any]) -> None:
    made = plan({**spec, "autostart": True})
    assert Start not in done(made, NET)
    assert {Define, SetAutostart} <= {*done(made, NET)}
    assert Start in done(made, OTHER)
    (blocked,) = made.blocked
    assert (blocked.ref, blocked.reason, blocked.path) == (NET, "DependencyNotReady", "net.yaml")
    assert f"no network interface {spec.get('interface', 'br9')}" in blocked.message


@pytest.mark.parametrize(
    ("features", "said"),
    [(frozenset(Feature), "no network interface eth9"), (frozenset(), "make a bridge over eth9.5")],
    ids=["which the host could make", "which no card would help to"],
)
def test_nothing_is_made_for_a_vlan_of_a_card_that_is_not_there(features: frozenset[Feature], said: str) -> None:
    made = plan({"interface": "eth9", "vlan": 5}, features=features)
    (blocked,) = made.blocked
    assert (done(made, NET), blocked.reason) == ([], "DependencyNotReady")
    assert said in blocked.message


def test_it_is_started_as_soon_as_the_device_is_there() -> None:
    waiting = plan({"interface": "eth9"}, there("eth9", active=False))
    assert (done(waiting, NET), len(waiting.blocked)) == ([], 1)
    made = plan({"interface": "eth9"}, there("eth9", active=False), interfaces=THERE | {"eth9"})
    assert (done(made, NET), made.blocked) == ([Start], ())


def test_one_that_runs_is_told_and_not_touched() -> None:
    made = plan({"interface": "eth9"}, there("eth9", active=True))
    assert done(made, NET) == []
    assert [each.reason for each in made.blocked] == ["DependencyNotReady"]


def test_what_is_not_to_run_or_not_known_is_nobodys_trouble() -> None:
    assert plan({"interface": "eth9", "active": False}).blocked == ()
    assert Start in done(plan({"interface": "eth9"}, interfaces=None), NET)
    assert Start in done(plan({"interface": "eth0"}), NET)
