"""What is asked for once goes through the executor: a copy is written down beforehand, the urgent does not wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.applying.executor import Executor
from reconciler.errors import Cancelled, Conflict, Disconnected, OnggiError, Refused, Terminal
from reconciler.ledger.ledger import Ledger
from reconciler.planning.one_off import CloneVolume, CreateSnapshot, PowerOff
from reconciler.planning.operations import Operation, Stop
from reconciler.planning.plan import Action, one_off_step
from reconciler.status.outcome import Result, StepOutcome
from specs.effect import Effect
from specs.reference import VIRTUAL_MACHINE, Ref
from tests.applying.world import FolderHost, plan

WEB = Ref(VIRTUAL_MACHINE, "tf-web")
SOURCE, COPY = Ref.volume("default", "tf-a"), Ref.volume("other", "tf-b")
LIMIT_S = 60.0


@pytest.fixture
def host(tmp_path: Path) -> FolderHost:
    folder = tmp_path / "host"
    folder.mkdir()
    return FolderHost(folder)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    folder = tmp_path / "state"
    folder.mkdir()
    return Ledger.open(folder)


def apply(
    host: FolderHost, ledger: Ledger, ref: Ref, operation: Operation, action: Action = Action.UPDATE
) -> StepOutcome:
    step = one_off_step(ref, "asked for", operation, action=action)
    (outcome,) = Executor(host, ledger).apply(plan(step), stop=threading.Event())
    return outcome


def copy(host: FolderHost, ledger: Ledger) -> StepOutcome:
    return apply(host, ledger, COPY, CloneVolume(COPY, SOURCE), Action.CREATE)


def begun(ledger: Ledger) -> tuple[Ref, ...]:
    """What a start after a kill would take for half-made."""
    return Ledger.open(ledger.database.path.parent, readonly=True).intents.unfinished()


def raises(error: Exception) -> Callable[[object], None]:
    def before(_: object) -> None:
        raise error

    return before


def test_the_step_says_what_is_done_to_what_and_why() -> None:
    step = one_off_step(WEB, "a snapshot was asked for", CreateSnapshot(WEB, "s"))
    assert (step.ref, step.action, step.effect) == (WEB, Action.UPDATE, Effect.LIVE)
    assert (step.why, step.operations) == ("a snapshot was asked for", (CreateSnapshot(WEB, "s"),))


def test_a_copy_is_known_as_half_made_until_it_is_whole(host: FolderHost, ledger: Ledger) -> None:
    seen: list[tuple[Ref, ...]] = []
    host.before[COPY] = lambda stop: seen.append(begun(ledger))
    assert copy(host, ledger).result is Result.CREATED
    assert seen == [(COPY,)]
    assert begun(ledger) == ()


def test_what_has_the_name_already_is_never_known_as_half_made(host: FolderHost, ledger: Ledger) -> None:
    host.path(COPY).write_text("theirs")
    seen: list[tuple[Ref, ...]] = []

    def before(stop: threading.Event) -> None:
        seen.append(begun(ledger))
        raise Conflict("exists already")

    host.before[COPY] = before
    assert copy(host, ledger).result is Result.FAILED
    assert seen == [()]


@pytest.mark.parametrize("error", [Cancelled("stopping"), Disconnected("gone")])
def test_a_copy_that_was_cut_off_stays_known_as_half_made(host: FolderHost, ledger: Ledger, error: OnggiError) -> None:
    host.before[COPY] = raises(error)
    outcome = copy(host, ledger)
    assert outcome.result in (Result.SKIPPED, Result.FAILED)
    assert outcome.error is error
    assert ledger.intents.unfinished() == (COPY,)


def test_a_host_that_does_not_tell_what_is_there_gets_no_copy(host: FolderHost, ledger: Ledger) -> None:
    gone = Disconnected("can't be reached")
    host.present = raises(gone)  # type: ignore[method-assign, assignment]
    outcome = copy(host, ledger)
    assert (outcome.result, outcome.error) == (Result.FAILED, gone)
    assert begun(ledger) == ()


def test_who_asked_learns_the_class_of_the_failure(host: FolderHost, ledger: Ledger) -> None:
    refused = Refused("runs; shut it down", reason="MachineRunning")
    host.before[WEB] = raises(refused)
    outcome = apply(host, ledger, WEB, CreateSnapshot(WEB, "s"))
    assert outcome.error is refused
    assert outcome == StepOutcome(outcome.step, Result.FAILED, str(refused), outcome.duration_s)
    host.before[WEB] = raises(Terminal("no"))
    assert not isinstance(apply(host, ledger, WEB, CreateSnapshot(WEB, "s")).error, Refused)


def test_a_power_off_goes_ahead_of_a_stop_and_a_snapshot_does_not(host: FolderHost, ledger: Ledger) -> None:
    executor = Executor(host, ledger)
    stopping, off = threading.Event(), threading.Event()
    done: list[str] = []

    def before(stop: threading.Event) -> None:
        if not stopping.is_set():
            stopping.set()
            assert off.wait(LIMIT_S)
            done.append("stopped")

    def run(operation: Operation) -> None:
        executor.apply(plan(one_off_step(WEB, "asked for", operation)), stop=threading.Event())
        done.append(type(operation).__name__)

    host.before[WEB] = before
    threads = [threading.Thread(target=run, args=(each,)) for each in (Stop(WEB), CreateSnapshot(WEB, "s"))]
    threads[0].start()
    assert stopping.wait(LIMIT_S)
    threads[1].start()
    run(PowerOff(WEB))
    off.set()
    for thread in threads:
        thread.join(LIMIT_S)
    assert done[:2] == ["PowerOff", "stopped"]
    assert sorted(done[2:]) == ["CreateSnapshot", "Stop"]
