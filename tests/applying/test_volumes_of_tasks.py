"""What the ledger knows of the volumes of a long task: half-made, whole and uncommitted, and what came of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.applying.executor import Executor
from reconciler.errors import Conflict
from reconciler.ledger.intents import CameOf
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.task_records import FAILED, FINISHED, RUNNING, TaskRecord
from reconciler.planning.one_off import CloneVolume
from reconciler.planning.operations import CreateVolume, Operation
from reconciler.planning.plan import Action, one_off_step
from reconciler.status.outcome import Result
from specs.reference import Ref
from tests.applying.world import FolderHost, plan

A, B, SOURCE = Ref.volume("lab", "a"), Ref.volume("lab", "b"), Ref.volume("lab", "source")
RESTARTED = "The agent was restarted while this was under way."


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    return folder


@pytest.fixture
def ledger(state: Path) -> Ledger:
    return Ledger.open(state)


@pytest.fixture
def host(tmp_path: Path) -> FolderHost:
    folder = tmp_path / "host"
    folder.mkdir()
    return FolderHost(folder)


def begin_task(ledger: Ledger) -> int:
    return ledger.tasks.begin("/vms/web", "OK", "ada").id


def killed(ledger: Ledger) -> Ledger:
    """What the next start opens."""
    ledger.close()
    return Ledger.open(ledger.database.path.parent)


def only_task(ledger: Ledger) -> TaskRecord:
    (task,) = ledger.tasks.all()
    return task


@pytest.mark.parametrize(
    "operation",
    [lambda task: CloneVolume(A, SOURCE, part_of=task), lambda task: CreateVolume(A, "<a/>", part_of=task)],
    ids=["copied", "made"],
)
def test_a_part_of_a_task_is_noted_until_the_task_has_committed(
    host: FolderHost, ledger: Ledger, operation: Callable[[int], Operation]
) -> None:
    made = operation(begin_task(ledger))
    step = one_off_step(A, "asked for", made, action=Action.CREATE)
    (outcome,) = Executor(host, ledger).apply(plan(step), stop=threading.Event())
    assert outcome.result is Result.CREATED
    others = Ledger.open(ledger.database.path.parent, readonly=True)
    assert (others.intents.unfinished(), others.intents.uncommitted()) == ((A,), ())
    ledger.change(whole=[A])
    assert (others.intents.unfinished(), others.intents.uncommitted()) == ((), (A,))
    assert ledger.intents.uncommitted() == (), "its own process is about to commit"
    ledger.change(finish=[A])
    assert (others.intents.unfinished(), others.intents.uncommitted()) == ((), ())


def test_what_has_the_name_of_a_part_already_is_never_noted(host: FolderHost, ledger: Ledger) -> None:
    host.path(A).write_text("theirs")

    def before(stop: threading.Event) -> None:
        assert Ledger.open(ledger.database.path.parent, readonly=True).intents.unfinished() == ()
        raise Conflict("exists already")

    host.before[A] = before
    step = one_off_step(A, "asked for", CreateVolume(A, "<a/>", part_of=begin_task(ledger)), action=Action.CREATE)
    (outcome,) = Executor(host, ledger).apply(plan(step), stop=threading.Event())
    assert outcome.result is Result.FAILED and "exists already" in outcome.message


def test_a_task_that_was_cut_off_tells_of_each_of_its_volumes(ledger: Ledger) -> None:
    ledger.change(begin=[A, B], task=begin_task(ledger))
    ledger.change(whole=[A])
    ledger = killed(ledger)
    ledger.intents.end(B, CameOf.REMOVED)
    ledger.tasks.interrupt("It was cut off.")
    ended = only_task(ledger)
    assert (ended.status, ended.message) == (
        FAILED, f"{RESTARTED} {CameOf.REMOVED.of(B)} {CameOf.UNDECIDED.of(A)}",
    )  # fmt: skip
    ledger.tasks.take_late()
    ledger.intents.end(A, CameOf.USED)
    told = only_task(ledger)
    assert told.message == f"{RESTARTED} {CameOf.REMOVED.of(B)} {CameOf.USED.of(A)}"
    assert ledger.tasks.take_late() == [told]
    assert ledger.tasks.take_late() == []


def test_a_task_without_volumes_says_what_all_say(ledger: Ledger) -> None:
    begin_task(ledger)
    ledger = killed(ledger)
    ledger.tasks.interrupt("It was cut off.")
    assert (only_task(ledger).status, only_task(ledger).message) == (FAILED, "It was cut off.")


def test_a_task_that_failed_by_itself_keeps_its_reason(ledger: Ledger) -> None:
    task = begin_task(ledger)
    ledger.change(begin=[A], task=task)
    ledger.tasks.end(task, FAILED, "The disk is full.")
    ledger = killed(ledger)
    ledger.intents.end(A, CameOf.REMOVED)
    assert only_task(ledger).message == f"The disk is full. {CameOf.REMOVED.of(A)}"


def test_a_task_that_came_to_a_good_end_stays_finished(ledger: Ledger) -> None:
    task = begin_task(ledger)
    ledger.change(begin=[A], task=task)
    ledger.tasks.end(task, FINISHED, "OK")
    ledger = killed(ledger)
    ledger.tasks.interrupt("It was cut off.")
    ledger.intents.end(A, CameOf.DECLARED)
    assert (only_task(ledger).status, only_task(ledger).message) == (FINISHED, "OK")


def test_a_living_task_tells_of_itself(ledger: Ledger) -> None:
    ledger.change(begin=[A], task=begin_task(ledger))
    ledger.intents.give_up([A])
    ledger.intents.end(A, CameOf.REMOVED)
    assert (only_task(ledger).status, only_task(ledger).message) == (RUNNING, "OK")
    assert ledger.intents.unfinished() == ()
