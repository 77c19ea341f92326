"""Steps come behind what they need; what needs something that won't come is blocked, with the reason of the root."""

from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.planning.order import _after, ordered
from reconciler.planning.plan import Action, Blocked
from specs.reference import Ref
from tests.planning.values import context, network, resource, step, vm


def test_a_machine_comes_after_its_network() -> None:
    lan, web = network("lan"), vm("web")
    steps, blocked = ordered({web: step(web), lan: step(lan)}, {}, context([resource(lan), resource(web, lan)]))
    assert [one.ref for one in steps] == [lan, web]
    assert steps[1].after == {lan}
    assert not blocked


def test_what_is_on_the_host_already_need_not_come() -> None:
    lan, web = network("lan"), vm("web")
    steps, blocked = ordered({web: step(web)}, {}, context([resource(web, lan)], on_host=[lan]))
    assert [one.ref for one in steps] == [web]
    assert not blocked


def test_a_reference_to_nothing_blocks_its_user_and_names_what_is_missing() -> None:
    web = vm("web")
    steps, blocked = ordered({web: step(web)}, {}, context([resource(web, network("gone"))]))
    assert not steps
    assert [(one.ref, one.reason) for one in blocked] == [(web, "DependencyNotReady")]
    assert "Network/gone" in blocked[0].message


def test_a_reference_to_a_broken_document_says_to_correct_it() -> None:
    web, lan = vm("web"), network("lan")
    _, blocked = ordered({web: step(web)}, {}, context([resource(web, lan)], held=[lan]))
    assert "has errors" in blocked[0].message


def test_blocking_spreads_to_whoever_depends_and_to_nobody_else() -> None:
    lan, web, db = network("lan"), vm("web"), vm("db")
    refusal = Blocked(lan, "OwnedByOther", "it isn't onggi's")
    steps, blocked = ordered(
        {web: step(web), db: step(db)}, {lan: refusal}, context([resource(lan), resource(web, lan), resource(db)])
    )
    assert [one.ref for one in steps] == [db]
    assert {one.ref for one in blocked} == {lan, web}
    assert "it isn't onggi's" in next(one.message for one in blocked if one.ref == web)


def test_a_removal_waits_for_those_who_used_it() -> None:
    lan, web = network("lan"), vm("web")
    removals = {
        lan: step(lan, after=[web], action=Action.DELETE),
        web: step(web, action=Action.DELETE),
    }
    steps, _ = ordered(removals, {}, context(on_host=[lan, web]))
    assert [one.ref for one in steps] == [web, lan]


def test_what_a_pool_holds_is_waited_for_until_the_pool_is_started() -> None:
    pool, web, lun = Ref("StoragePool", "san"), vm("web"), Ref.volume("san", "unit:0:0:1")
    wanted = {pool: step(pool), web: step(web)}
    steps, blocked = ordered(wanted, {}, context([resource(pool), resource(web, lun, pool)]))
    assert [one.ref for one in steps] == [pool]
    assert [(one.ref, one.reason) for one in blocked] == [(web, "DependencyNotReady")]
    assert "started" in blocked[0].message


@given(st.dictionaries(st.integers(0, 30), st.sets(st.integers(0, 30), max_size=4), max_size=31))
def test_no_step_stands_before_one_that_it_comes_after(graph: dict[int, set[int]]) -> None:
    # An edge goes to a smaller number only, so that there is no circle.
    needs = {number: {other for other in others if other < number} for number, others in graph.items()}
    for others in list(needs.values()):
        for other in others:
            needs.setdefault(other, set())
    resources = [resource(vm(str(n)), *(vm(str(o)) for o in others)) for n, others in needs.items()]
    steps, blocked = ordered({one.ref: step(one.ref) for one in resources}, {}, context(resources))
    assert not blocked
    seen: set[Ref] = set()
    for one in steps:
        assert one.after <= seen
        seen.add(one.ref)
    assert seen == {one.ref for one in resources}


def test_equals_stand_in_alphabetical_order_and_what_a_step_lets_go_on_right_behind_it() -> None:
    a, b, on_a, on_both = vm("a"), vm("b"), vm("a-child"), vm("both")
    afters = {on_both: [a, b], on_a: [a], b: [], a: []}
    steps, _ = ordered({ref: step(ref, after=after) for ref, after in afters.items()}, {}, context())
    assert [one.ref for one in steps] == [a, on_a, b, on_both]


def test_steps_in_a_circle_stand_at_the_end_in_alphabetical_order() -> None:
    afters = {vm("b"): [vm("a")], vm("a"): [vm("b")], vm("behind"): [vm("a")], vm("z"): []}
    steps, blocked = ordered({ref: step(ref, after=after) for ref, after in afters.items()}, {}, context())
    assert [one.ref for one in steps] == [vm("z"), vm("a"), vm("b"), vm("behind")]
    assert not blocked


def test_a_new_machine_does_not_get_a_volume_that_is_somebody_elses() -> None:
    disk = Ref.volume("default", "web-root")
    there = context([resource(vm("web"), disk), resource(disk)], on_host=[disk])
    foreign = {disk: Blocked(disk, "OwnedByOther", "it is somebody's")}
    steps, blocked = ordered({vm("web"): step(vm("web"))}, foreign, there)
    assert steps == []
    assert {(item.ref, item.reason) for item in blocked} == {(vm("web"), "DependencyNotReady"), (disk, "OwnedByOther")}


class Counted(Ref):
    """A reference that counts how often anything looks at it by its hash."""

    looks: ClassVar[int] = 0

    def __hash__(self) -> int:
        Counted.looks += 1
        return super().__hash__()


def looks(machines: int, *, blocked: bool) -> int:
    """How often references are looked at to order a chain of machines; `blocked`: of which none can come."""
    refs = [Counted("VirtualMachine", f"vm{number:05d}") for number in range(machines)]
    resources = [resource(ref, *refs[max(number - 1, 0) : number]) for number, ref in enumerate(refs)]
    steps = {ref: step(ref) for ref in refs[1:]}
    there = context(resources, on_host=() if blocked else refs[:1])
    refusals = {refs[0]: Blocked(refs[0], "OwnedByOther", "it isn't onggi's")} if blocked else {}
    Counted.looks = 0
    in_order, held = ordered(steps, refusals, there)
    assert (len(in_order), len(held)) == ((0, machines) if blocked else (machines - 1, 0))
    return Counted.looks


class Asked:
    """Answers what is in it, and can't be walked through."""

    def __init__(self) -> None:
        self.questions: list[object] = []

    def __contains__(self, ref: object) -> bool:
        self.questions.append(ref)
        return True


def test_where_a_step_belongs_is_found_without_walking_through_all_others() -> None:
    lan, web, others = network("lan"), vm("web"), Asked()
    assert _after(step(web, after=[web]), frozenset({lan}), others) == {lan}
    assert set(others.questions) == {lan, web}


@pytest.mark.parametrize("blocked", [False, True])
def test_four_times_the_machines_cost_four_times_the_work(blocked: bool) -> None:
    assert looks(800, blocked=blocked) < 4.5 * looks(200, blocked=blocked)
