"""What the ledger remembers of a machine, so that the next pass tells an edit from drift and an end from a crash."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.desired.state import Resource
from reconciler.planning.ownership import Owned
from reconciler.planning.plan_options import PlanOptions
from specs.scope import Scope
from tests.planning.machines import FOREIGN, GONE, PLAIN, grows, off, on, undefined, world
from tests.planning.values import REPOSITORY
from tests.planning.worlds import World, applied, check, facts, found, wanted


@pytest.mark.parametrize(
    ("world", "remembered"),
    [
        pytest.param(world(PLAIN), {"runStrategy": "RerunOnFailure", "lastRun": "running"}, id="a new one runs"),
        pytest.param(world(wanted(runStrategy="Halted")), {"runStrategy": "Halted"}, id="a new one never ran"),
        pytest.param(
            world(PLAIN, off(), last=PLAIN),
            {"runStrategy": "RerunOnFailure", "lastRun": "destroyed"},
            id="how it ended",
        ),
        pytest.param(
            world(PLAIN, found(PLAIN, reason="crashed"), last=PLAIN),
            {"runStrategy": "RerunOnFailure", "lastRun": "running"},
            id="one that crashed and is started",
        ),
        pytest.param(
            world(PLAIN, on(), last=wanted(runStrategy="Always")),
            {"runStrategy": "RerunOnFailure", "lastRun": "running"},
            id="one that goes on running",
        ),
        pytest.param(
            World((PLAIN,), (off(),), (applied(PLAIN, remade="2"),)),
            {"runStrategy": "RerunOnFailure", "lastRun": "destroyed", "remade": "2"},
            id="how often a person had it back",
        ),
        pytest.param(
            world(PLAIN, last=PLAIN, gone=GONE),
            {"runStrategy": "RerunOnFailure", "lastRun": "running"},
            id="one that is made again and started",
        ),
        pytest.param(
            World((PLAIN,), (), (applied(PLAIN, lastRun="shutdown"),), gone=GONE),
            {"runStrategy": "RerunOnFailure", "lastRun": "shutdown"},
            id="one that is made again and stays off",
        ),
        pytest.param(
            world(grows(), on(), last=PLAIN),
            {"runStrategy": "RerunOnFailure", "lastRun": "running"},
            id="what waits is applied",
        ),
    ],
)
def test_what_the_ledger_remembers(world: World, remembered: dict[str, str]) -> None:
    assert facts(world.plan()) == remembered | {"scope": Scope(REPOSITORY).to_text()}


def test_a_restart_is_written_down_before_it_begins_and_is_done_once() -> None:
    wish = grows("Graceful")
    asked = replace(world(wish, on(), last=PLAIN), options=PlanOptions(now=1000.0)).plan()
    [before] = asked.records
    assert before.facts["restarting"] == "1000"
    assert before.facts["digest"] == PLAIN.digest, "what was applied before, until it is done"
    owned = asked.steps[0].owned
    assert owned is not None
    assert "restarting" not in owned.facts
    again = world(wish, on(wish, run=PLAIN), ledger=(owned,)).plan()
    check(again, "waits web /memory for a person to look: it was restarted for this, and came back as before")
    assert not again.records, "and that goes on being remembered"


@pytest.mark.parametrize(
    ("entry", "created"),
    [
        (None, True),
        (applied(PLAIN), True),
        (applied(PLAIN, created=False), False),
    ],
)
def test_what_was_taken_over_is_never_ours_to_delete(entry: Owned | None, created: bool) -> None:
    for there, gone in (((), GONE), ((off(),), {}), ((undefined(),), GONE)):
        ledger = (entry,) if entry is not None else ()
        plan = World((wanted(cpus=2),), there, ledger, gone=gone).plan()
        assert [step.owned.created for step in plan.steps if step.owned] == [created]


def test_what_is_adopted_was_there_before_us() -> None:
    plan = world(wanted(cpus=2, policy={"adopt": True}), off(FOREIGN, mark=None)).plan()
    assert [step.owned.created for step in plan.steps if step.owned] == [False]


LACKING = grows("Graceful", interfaces=[{"network": "gone"}])


def test_a_restart_that_something_missing_keeps_from_beginning_is_not_written_down() -> None:
    """Else a guest that shuts itself down would be taken for one that followed the request, and be started."""
    for seen, last in ((on(), PLAIN), (on(LACKING, run=PLAIN), LACKING)):
        plan = replace(world(LACKING, seen, last=last), options=PlanOptions(now=1000.0)).plan()
        assert [item.reason for item in plan.blocked] == ["DependencyNotReady"]
        assert [item.waits_for for item in plan.waiting] == ["what it lacks, for without that it wouldn't start again"]
        assert "restarting" not in facts(plan)
        assert facts(plan)["scope"], "and whose it is is remembered as ever"


def test_a_guest_that_was_asked_to_shut_down_is_waited_for_although_something_went_meanwhile() -> None:
    entry = applied(LACKING, restarting="1000")
    for now, remembered in ((1100.0, True), (90000.0, False)):
        plan = World((LACKING,), (on(LACKING, run=PLAIN),), (entry,), options=PlanOptions(now=now)).plan()
        assert ("restarting" in facts(plan)) is remembered


@pytest.mark.parametrize(
    ("document", "remembered"),
    [
        (PLAIN, ("60", "")),
        (wanted(shutdownTimeout=5, forceStop=True), ("5", "yes")),
        (wanted(forceStop=False), ("60", "")),
    ],
)
def test_how_to_stop_it_is_known_when_its_document_is_gone(document: Resource, remembered: tuple[str, str]) -> None:
    for there in ((), (off(wanted(cpus=2)),), (off(document),)):
        plan = World((document,), there).plan()
        [entry] = [*plan.records, *(step.owned for step in plan.steps if step.owned)]
        assert (entry.facts["shutdownTimeout"], entry.facts["forceStop"]) == remembered
