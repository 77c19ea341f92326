"""While nothing moves a plan is the plan of the pass before; whatever moves, be it the time alone, is planned anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.desired.state import DesiredState, Resource
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan_options import PlanOptions
from reconciler.planning.planner import Planner
from specs.binding import parse, serialise
from specs.host import Host, VolumeSource
from specs.mark import Mark, read_mark, write_mark
from specs.reference import Ref
from tests.planning.values import REPOSITORY, REVISION, vm
from tests.specs.virtualmachine.tool_machines import machine

WEB, OLD = vm("web"), Ref.volume("default", "old.qcow2")
DAY_S = 24 * 3600.0


def at_rest() -> dict[str, Any]:
    """A machine that is as declared, and owned."""
    root = parse(machine("by-hand-headless", "web"))
    write_mark(root, Mark(REPOSITORY, "web", frozenset()))
    uid = root.findtext("uuid") or ""
    resource = Resource(WEB, uid, {"runStrategy": "Manual"}, "web.yaml", 3)
    seen = Observed(WEB, uid, serialise(root), state="shutoff", mark=read_mark(root))
    desired, host = DesiredState(REVISION, REPOSITORY, {WEB: resource}), Host(pool_paths={"default": "/pool"})
    inputs: dict[str, Any] = {
        "desired": desired,
        "snapshot": Snapshot(1, host, {WEB: seen}),
        "owned": {WEB: Owned(WEB, uid, "web.yaml")},
        "suspended": frozenset(),
        "options": PlanOptions(now=1.0),
    }
    (record,) = Planner().plan(**inputs).records  # what the ledger remembers from now on
    return inputs | {"owned": {WEB: record}}


def test_nothing_is_worked_out_again_while_nothing_moves() -> None:
    inputs, planner = at_rest(), Planner()
    first = planner.plan(**inputs)
    assert first.empty
    later = inputs | {"options": PlanOptions(now=10 * DAY_S)}
    assert planner.plan(**later) is first
    assert planner.plan(**later) == Planner().plan(**later)


def moved(inputs: dict[str, Any], what: str) -> dict[str, Any]:
    desired, snapshot = inputs["desired"], inputs["snapshot"]
    renamed = replace(desired.resources[WEB], spec={"runStrategy": "Manual", "title": "New"}, digest="other")
    away = replace(snapshot, serial=2, objects={})
    return (
        inputs
        | {
            "document": {"desired": replace(desired, resources={WEB: renamed})},
            "host": {"snapshot": away},
            "ledger": {"owned": {}},
            "options": {
                "options": PlanOptions(now=1.0, migrated=frozenset({desired.resources[WEB].uid})),
                "snapshot": away,
            },
        }[what]
    )


@pytest.mark.parametrize("what", ["document", "host", "ledger", "options"])
def test_whatever_moves_is_planned_as_by_one_who_never_planned_before(what: str) -> None:
    inputs, planner = at_rest(), Planner()
    before = planner.plan(**inputs)
    now = moved(inputs, what)
    assert planner.plan(**now) == Planner().plan(**now)
    assert planner.plan(**now) != before


def test_the_time_alone_moves_what_lies_in_the_trash() -> None:
    inputs, planner = at_rest(), Planner()
    snapshot: Snapshot = inputs["snapshot"]
    host = replace(snapshot.host, volumes={OLD: VolumeSource("/pool/old.qcow2", "file", "qcow2")})
    details = {"path": "/pool/old.qcow2", "type": "file", "format": "qcow2", "capacity": 1, "allocation": 1}
    objects = {**snapshot.objects, OLD: Observed(OLD, "", "<volume><name>old.qcow2</name></volume>", details=details)}
    facts = {Fact.TRASHED.value: "0"}
    entry = Owned(OLD, "", "old.yaml", "Delete", created=True, facts=facts)
    inputs |= {"snapshot": Snapshot(1, host, objects), "owned": {**inputs["owned"], OLD: entry}}
    assert planner.plan(**inputs).empty
    later = inputs | {"options": PlanOptions(now=30 * DAY_S)}
    assert [step.ref for step in planner.plan(**later).steps] == [OLD]
