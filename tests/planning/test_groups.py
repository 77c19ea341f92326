"""A plan falls into groups that don't touch each other, so that what waits for a guest holds up only itself."""

from __future__ import annotations

from reconciler.planning.groups import groups, takes_long
from reconciler.planning.operations import SetAutostart, Start, Stop
from reconciler.planning.plan import Plan
from tests.planning.values import network, step, vm


def test_quick_steps_go_together_and_each_slow_group_by_itself() -> None:
    plan = Plan(
        "main@sha1:0",
        (
            step(vm("quick"), SetAutostart(vm("quick"), True)),
            step(vm("slow"), Stop(vm("slow"))),
            step(network("lan"), Start(network("lan"))),
            step(vm("on-lan"), Start(vm("on-lan")), after=[network("lan")]),
        ),
    )
    parts = [({one.ref.name for one in part.steps}, takes_long(part)) for part in groups(plan, set())]
    assert parts[0] == ({"quick"}, False)
    assert ({"slow"}, True) in parts
    assert ({"lan", "on-lan"}, True) in parts


def test_what_is_held_and_what_comes_after_it_is_left_for_later() -> None:
    plan = Plan("r", (step(network("lan")), step(vm("a"), after=[network("lan")]), step(vm("b"))))
    (part,) = groups(plan, {network("lan")})
    assert [one.ref for one in part.steps] == [vm("b")]
