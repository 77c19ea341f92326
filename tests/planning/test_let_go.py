"""Nothing leaves that a machine still has after the plan, whatever keeps the machine from letting go of it."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.planning.plan import Action, Plan
from reconciler.planning.plan_options import PlanOptions
from specs.reference import NETWORK, VIRTUAL_MACHINE, Ref
from tests.desired.documents import document
from tests.planning.rehearsed_host import RehearsedHost, pool

WEB, LAB = Ref(VIRTUAL_MACHINE, "web"), Ref(NETWORK, "lab")
CARD = {"name": "lab", "network": "lab"}


def files(*, lab: bool = True, **spec: Any) -> dict[str, str | bytes]:
    others = {name: document(VIRTUAL_MACHINE, name, {"memory": 64, "runStrategy": "Halted"}) for name in "abc"}
    machine = document(VIRTUAL_MACHINE, "web", {"memory": 64, "runStrategy": "Halted", **spec})
    found: dict[str, str | bytes] = {"web.yaml": machine, **{f"{name}.yaml": text for name, text in others.items()}}
    return found | ({"lab.yaml": document(NETWORK, "lab", {"mode": "isolated"})} if lab else {})


@pytest.fixture
def host() -> RehearsedHost:
    made = RehearsedHost(running=False)
    made.apply(files(interfaces=[CARD]))
    assert WEB in made.objects
    return made


def leaves(plan: Plan) -> bool:
    return any(step.ref == LAB and step.action is Action.DELETE for step in plan.steps)


def test_a_network_leaves_after_the_machine_that_lets_go_of_it(host: RehearsedHost) -> None:
    plan = host.plan(files(lab=False, interfaces=[]))
    (step,) = (step for step in plan.steps if step.ref == LAB)
    assert step.after == {WEB}


@pytest.mark.parametrize(
    "spec",
    [
        {"ignoreFields": ["/interfaces"]},
        {"driftPolicy": "ignore", "ignoreFields": ["/interfaces"]},
        {"hostDevices": [{"device": "usb_gone"}], "ignoreFields": ["/interfaces"]},
    ],
)
def test_a_network_stays_while_a_machine_keeps_its_card(host: RehearsedHost, spec: dict[str, Any]) -> None:
    plan = host.plan(files(lab=False, **spec))
    assert not leaves(plan)
    assert [item.reason for item in plan.blocked if item.ref == LAB] == ["InUse"]


def test_a_network_stays_while_its_machine_is_left_alone(host: RehearsedHost) -> None:
    wish = host.desired.of(files(lab=False, interfaces=[]))
    plan = host.planner.plan(wish, host.snapshot(), host.ledger, frozenset({WEB}), PlanOptions())
    assert not leaves(plan)
    assert [item.reason for item in plan.blocked if item.ref == LAB] == ["InUse"]


def test_a_volume_stays_while_its_machine_is_left_alone_although_its_document_says_delete(host: RehearsedHost) -> None:
    disk = {"name": "data", "size": "32MiB", "pool": "default"}
    pools: dict[str, str | bytes] = {"pool.yaml": pool("default")}
    policy = {"deletionPolicy": "Delete"}
    host.apply(pools | files(disks=[disk], **policy))
    wish = host.desired.of(pools | files(disks=[], **policy))
    data = Ref.volume("default", "web-data.qcow2")
    assert data in host.objects
    for left_alone in (frozenset({WEB}), frozenset({WEB, data})):
        plan = host.planner.plan(wish, host.snapshot(), host.ledger, left_alone, PlanOptions())
        assert [step.ref for step in plan.steps if step.ref == data] == []


def test_a_network_stays_with_a_machine_that_may_not_leave(host: RehearsedHost) -> None:
    protected = {"annotations": {"onggi/protect": "true"}}
    card = {"interfaces": [CARD], "memory": 64, "runStrategy": "Halted"}
    host.apply(files() | {"web.yaml": document(VIRTUAL_MACHINE, "web", card, **protected)})
    rest = {name: text for name, text in files(lab=False).items() if name != "web.yaml"}
    plan = host.plan(rest)
    assert not leaves(plan)
    assert {item.ref: item.reason for item in plan.blocked} == {WEB: "Protected", LAB: "InUse"}
