"""Splits a plan into groups that have nothing to do with each other, so that a slow one holds up only itself."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import replace

from reconciler.planning.operations import CreateVolume, Start, Stop
from reconciler.planning.plan import Plan, Step
from specs.reference import Ref


def without(plan: Plan, waiting: Set[Ref]) -> Plan:
    """The plan without the steps of `waiting` objects, and without all that come after one of them."""
    left_out = set(waiting)
    steps: list[Step] = []
    for step in plan.steps:  # a step never stands before one that it comes after
        if step.ref in left_out or step.after & left_out:
            left_out.add(step.ref)
        else:
            steps.append(step)
    return plan if len(steps) == len(plan.steps) else replace(plan, steps=tuple(steps))


def groups(plan: Plan, waiting: Set[Ref]) -> Iterator[Plan]:
    """One plan for each set of steps that are connected by `after`, in the plan's order.

    What has to do with `waiting` objects is left out: it is for a later pass.
    """
    steps = {step.ref: step for step in without(plan, waiting).steps}
    leader = {ref: ref for ref in steps}

    def find(ref: Ref) -> Ref:
        while leader[ref] != ref:
            leader[ref] = ref = leader[leader[ref]]
        return ref

    for step in steps.values():
        for earlier in step.after & steps.keys():
            leader[find(step.ref)] = find(earlier)
    members: dict[Ref, list[Step]] = {}
    for ref, step in steps.items():
        members.setdefault(find(ref), []).append(step)
    quick = [step for group in members.values() if not _slow(group) for step in group]
    if quick or plan.records or plan.forgotten:
        yield replace(plan, steps=tuple(quick))
    for group in members.values():
        if _slow(group):
            yield replace(plan, steps=tuple(group), records=(), forgotten=())


def takes_long(plan: Plan) -> bool:
    """True when a step waits for a guest or for the network."""
    return _slow(plan.steps)


def fetches(plan: Plan) -> bool:
    """True when a step waits for a server on the network."""
    return any(isinstance(each, CreateVolume) and each.url for step in plan.steps for each in step.operations)


def _slow(steps: tuple[Step, ...] | list[Step]) -> bool:
    return any(
        isinstance(operation, Stop | Start) or (isinstance(operation, CreateVolume) and bool(operation.url))
        for step in steps
        for operation in step.operations
    )
