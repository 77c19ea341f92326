"""What is told to who waits for a write: its own failure, and nobody else's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.desired.state import Resource
from reconciler.errors import NotApplied
from reconciler.loop.passes import World
from reconciler.planning.plan import Action, Plan, Step
from reconciler.serving.asked import asked_by
from reconciler.serving.rollout import Rollout, rollout
from reconciler.status.outcome import Result, StepOutcome
from reconciler.status.retries import Retry
from reconciler.writing.changes import Put
from specs.effect import Change, Effect
from specs.reference import Ref
from tests.planning.values import context, resource, step, vm

WEB = vm("web")
ROOT = Ref.volume("default", "web-root.qcow2")


class Before:
    """The documents as they were: one machine's."""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self._document = {"metadata": {"name": "web"}, "spec": dict(spec)}

    def get(self, ref: Ref) -> dict[str, Any] | None:
        return self._document if ref == WEB else None

    def path(self, ref: Ref) -> str | None:
        return None

    def refs(self) -> frozenset[Ref]:
        return frozenset({WEB})


def pending(ref: Ref, *fields: str) -> Step:
    changes = tuple(Change(f"/{field}", None, 1, Effect.LIVE) for field in fields)
    return replace(step(ref, action=Action.UPDATE), changes=changes)


def world(left: Step, failed: Step | None = None) -> World:
    """A pass in which `left` is still to do after `failed` (another look's step) didn't succeed."""
    made = context([resource(WEB), Resource(ROOT, "", {}, "web.yaml", 1, parent=WEB)])
    outcome = StepOutcome(failed, Result.FAILED, "no") if failed is not None else None
    failed_ones = {left.ref: outcome} if outcome else {}
    retries = {ref: Retry(1, datetime.now(UTC), terminal=False) for ref in failed_ones}
    return World(made.desired, made.snapshot, Plan("", (left,)), sequence=1, outcomes=failed_ones, retries=retries)


def put(**fields: Any) -> Put:
    return Put(WEB, {"metadata": {"name": "web"}, "spec": fields})


@pytest.mark.parametrize(
    ("before", "after", "left", "is_told"),
    [
        ({"memory": 1}, {"memory": 2}, ("runStrategy",), False),
        ({"memory": 1}, {"memory": 2}, ("memory", "runStrategy"), True),
        ({}, {"access": {"users": ["ada"]}}, ("memory",), False),
        ({}, {"runStrategy": "Always"}, ("runStrategy",), True),
        ({}, {"interfaces": []}, ("interfaces/52:54:00:00:00:01",), True),
        ({}, {"cloudInit": {}}, ("cdroms/seed",), True),
    ],
)
def test_who_changed_a_field_is_told_what_keeps_that_field_from_coming_true(
    before: dict[str, Any], after: dict[str, Any], left: tuple[str, ...], is_told: bool
) -> None:
    asked = asked_by([put(**after)], Before(before))
    step_now = pending(WEB, *left)
    there = world(step_now, failed=pending(WEB, *left))
    if is_told:
        with pytest.raises(NotApplied, match="no"):
            rollout(there, [WEB], asked)
    else:
        assert rollout(there, [WEB], asked) is Rollout.COMPLETE


def test_the_failure_of_a_machines_own_disk_is_told_to_who_changed_its_disks() -> None:
    there = world(pending(ROOT, "capacity"), failed=pending(ROOT, "capacity"))
    assert rollout(there, [WEB], asked_by([put(memory=2)], Before({}))) is Rollout.COMPLETE
    with pytest.raises(NotApplied):
        rollout(there, [WEB], asked_by([put(disks=[])], Before({})))


def test_what_has_just_been_tried_is_looked_at_again_before_anybody_is_told() -> None:
    tried = pending(WEB, "memory", "runStrategy")
    assert rollout(world(tried, failed=tried), [WEB], asked_by([put(memory=2)], Before({}))) is Rollout.PROGRESSING


def test_what_is_renamed_or_new_is_meant_as_a_whole() -> None:
    renamed = Put(WEB, {"metadata": {"name": "shop"}, "spec": {}})
    new = Put(vm("new"), {"metadata": {"name": "new"}, "spec": {}})
    assert asked_by([renamed, new], Before({})) == {}
