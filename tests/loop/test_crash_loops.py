"""A machine that ends soon after each start is started less and less often, and at once after a good run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.loop.crash_loops import LONGEST_S, CrashLoops
from reconciler.planning.operations import Start
from reconciler.planning.plan import Action, Step
from reconciler.status.retries import STABLE_S
from tests.planning.values import step, vm

WEB = vm("web")


class Machine:
    """A machine and the agent that starts it, on a clock of its own."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.loops = CrashLoops({}, lambda: self.now)

    def start(self, again: str = "", digest: str = "d1") -> Step:
        return step(WEB, Start(WEB, again=again), action=Action.UPDATE)

    def runs(self, seconds: float) -> None:
        self.now += seconds

    def rest_s(self, end: str = "crashed", digest: str = "d1") -> float:
        """It ended so, and is started as soon as it may be: after how long?"""
        again, began = self.start(end), self.now
        while self.loops.not_yet([again], {WEB: digest}):
            due = self.loops.next_due_s()
            assert due is not None
            self.now += due
        self.loops.started(again, digest)
        return round(self.now - began, 3)


@pytest.fixture
def machine() -> Machine:
    machine = Machine()
    machine.loops.started(machine.start(), "d1")
    return machine


def test_the_rest_doubles_from_ten_seconds_to_five_minutes(machine: Machine) -> None:
    rests = []
    for _ in range(9):
        machine.runs(3)
        rests.append(machine.rest_s())
    assert rests == [0, 10, 20, 40, 80, 160, 300, 300, 300]


def test_a_stable_run_ends_the_counting(machine: Machine) -> None:
    for _ in range(4):
        machine.runs(1)
        machine.rest_s()
    machine.runs(STABLE_S)
    assert machine.rest_s() == 0
    machine.runs(1)
    assert machine.rest_s() == 0, "counted from the first again"


def test_a_new_document_ends_the_rest(machine: Machine) -> None:
    for _ in range(4):
        machine.runs(1)
        machine.rest_s()
    machine.runs(1)
    assert machine.loops.not_yet([machine.start("crashed")], {WEB: "d1"})
    assert machine.rest_s(digest="d2") == 0


def test_an_end_by_hand_is_no_crash(machine: Machine) -> None:
    for _ in range(20):
        machine.runs(1)
        assert not machine.loops.not_yet([machine.start("")], {WEB: "d1"})
        machine.loops.started(machine.start(""), "d1")
    assert machine.loops.to_keep() == {}


def test_people_are_told_how_often_and_how_it_ended(machine: Machine) -> None:
    for _ in range(3):
        machine.runs(1)
        machine.rest_s()
    machine.runs(1)
    machine.loops.not_yet([machine.start("shutdown")], {WEB: "d1"})
    told = machine.loops.resting()[WEB]
    assert told.times == 4
    assert told.message == (
        "4 runs in a row ended within 2 minutes of their start, the last one so: the guest shut itself down"
    )


def test_an_agent_that_is_restarted_goes_on_counting(machine: Machine) -> None:
    for _ in range(3):
        machine.runs(1)
        machine.rest_s()
    machine.runs(1)
    held = machine.loops.not_yet([machine.start("crashed")], {WEB: "d1"})
    before = machine.loops.next_due_s()
    machine.loops = CrashLoops(machine.loops.to_keep(), lambda: machine.now)
    assert machine.loops.not_yet([machine.start("crashed")], {WEB: "d1"}) == held == {WEB}
    assert machine.loops.next_due_s() == before


def test_a_clock_that_is_put_back_makes_no_rest_of_hours(machine: Machine) -> None:
    for _ in range(4):
        machine.runs(1)
        machine.rest_s()
    machine.runs(1)
    assert machine.loops.not_yet([machine.start("crashed")], {WEB: "d1"})
    machine.now -= 86_400
    assert not machine.loops.not_yet([machine.start("crashed")], {WEB: "d1"})


@given(st.lists(st.floats(0, 1000), max_size=30))
def test_no_rest_is_longer_than_five_minutes_and_a_good_run_never_rests(runs: list[float]) -> None:
    machine = Machine()
    machine.loops.started(machine.start(), "d1")
    for seconds in runs:
        machine.runs(seconds)
        rest = machine.rest_s()
        assert 0 <= rest <= LONGEST_S
        if seconds >= STABLE_S + 1:
            assert rest == 0
