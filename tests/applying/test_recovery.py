"""What a run that was cut off left half-done goes, or is told of, and nothing that anybody may need."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler import faults
from reconciler.applying.recovery import Recovery
from reconciler.errors import Disconnected, OnggiError, StateError, Transient
from reconciler.ledger.intents import CameOf
from reconciler.ledger.ledger import Ledger
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.ownership import Owned
from reconciler.planning.plan import Step
from reconciler.status.outcome import Result, StepOutcome
from specs.host import Host
from specs.reference import Ref
from tests.applying.world import REVISION, Before, FolderHost, define, network, plan, volume

A, B = Ref.volume("lab", "a"), Ref.volume("lab", "b")
LAN = network("lan")
NOTHING = plan()


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
def host(tmp_path: Path) -> FolderHost:
    folder = tmp_path / "host"
    folder.mkdir()
    return FolderHost(folder)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    return folder


@pytest.fixture
def ledger(state: Path) -> Iterator[Ledger]:
    with Ledger.open(state) as opened:
        yield opened


def left(host: FolderHost, *refs: Ref) -> None:
    """These are on the host."""
    for ref in refs:
        host.path(ref).touch()


def in_doubt(
    state: Path, *, half_made: tuple[Ref, ...] = (), whole: tuple[Ref, ...] = (), steps: tuple[Step, ...] = ()
) -> None:
    """A run that ended like that."""
    with Ledger.open(state) as before:
        task = before.tasks.begin("/vms/web", "OK", "ada").id
        before.change(begin=half_made, own=[Owned(ref, "") for ref in whole], steps=steps, note=REVISION)
        before.change(begin=whole, task=task)
        before.change(whole=whole)


def snapshot_of(host: FolderHost, *refs: Ref) -> Snapshot:
    return Snapshot(1, Host(), {ref: Observed(ref, "", "") for ref in refs if host.has(ref)})


def told(ledger: Ledger) -> list[tuple[Ref, str]]:
    return [(event.ref, event.result) for event in ledger.history.events()]


def fails(error: OnggiError) -> Before:
    def fail(stop: threading.Event) -> None:
        raise error

    return fail


def no_more(ref: Ref) -> None:
    raise AssertionError(f"{ref} was removed")


def recover_all(recovery: Recovery) -> None:
    recovery.recover()
    recovery.remove_uncommitted(REVISION, lambda _: False, lambda _: None)


def kill_at(boundary: str) -> Callable[[str], None]:
    def hook(name: str) -> None:
        if name == boundary:
            raise Killed

    return hook


# Half-made volumes


def test_a_half_made_volume_is_removed(state: Path, host: FolderHost) -> None:
    in_doubt(state, half_made=(A, B))
    left(host, A, B)
    with Ledger.open(state) as ledger:
        assert Recovery(host, ledger).recover()
        assert (host.names(), ledger.intents.unfinished()) == (frozenset(), ())


def test_a_volume_that_something_uses_stays_and_is_not_looked_at_again(state: Path, host: FolderHost) -> None:
    in_doubt(state, half_made=(A, B))
    left(host, A)
    host.used.add(A)
    with Ledger.open(state) as ledger:
        assert Recovery(host, ledger).recover()
        assert host.has(A) and ledger.intents.unfinished() == ()


def test_what_cannot_be_removed_now_holds_up_no_other_and_is_tried_again(state: Path, host: FolderHost) -> None:
    in_doubt(state, half_made=(A, B))
    left(host, A, B)
    host.before[A] = fails(Transient("its pool is off"))
    with Ledger.open(state) as ledger:
        recovery = Recovery(host, ledger)
        assert not recovery.recover()
        assert (host.has(A), host.has(B), ledger.intents.unfinished()) == (True, False, (A,))
        del host.before[A]
        assert recovery.recover()
        assert (host.has(A), ledger.intents.unfinished()) == (False, ())


def test_a_recovery_stays_due_after_the_connection_was_lost(state: Path, host: FolderHost) -> None:
    in_doubt(state, half_made=(A,))
    left(host, A)
    host.before[A] = fails(Disconnected("libvirt is gone"))
    with Ledger.open(state) as ledger:
        recovery = Recovery(host, ledger)
        with pytest.raises(Disconnected):
            recovery.recover()
        assert recovery.due and ledger.intents.unfinished() == (A,)


@pytest.mark.parametrize("is_whole", [False, True], ids=["half-made", "uncommitted"])
def test_a_recovery_that_is_killed_is_taken_up_by_the_next(state: Path, host: FolderHost, is_whole: bool) -> None:
    in_doubt(state, whole=(A,) if is_whole else (), half_made=() if is_whole else (A,))
    left(host, A)
    try:
        faults.install(kill_at("before a recovery is noted"))
        with Ledger.open(state) as ledger, pytest.raises(Killed):
            recover_all(Recovery(host, ledger))
    finally:
        faults.install(None)
    assert not host.has(A)
    with Ledger.open(state) as ledger:
        recover_all(Recovery(host, ledger))
        assert (ledger.intents.unfinished(), ledger.intents.uncommitted()) == ((), ())


# Volumes that are whole


def test_an_uncommitted_volume_goes_with_a_line_in_the_history(state: Path, host: FolderHost) -> None:
    in_doubt(state, whole=(A,))
    left(host, A)
    seen: list[Ref] = []
    with Ledger.open(state) as ledger:
        removed = Recovery(host, ledger).remove_uncommitted(REVISION, lambda _: False, seen.append)
        assert removed == {A} and seen == [A]
        assert (host.has(A), ledger.intents.uncommitted(), A in ledger.ownership.all()) == (False, (), False)
        assert told(ledger) == [(A, "deleted")]


def test_what_a_document_asks_for_stays_ours(state: Path, host: FolderHost) -> None:
    in_doubt(state, whole=(A,))
    left(host, A)
    with Ledger.open(state) as ledger:
        assert Recovery(host, ledger).remove_uncommitted(REVISION, lambda _: True, no_more) == frozenset()
        assert (host.has(A), ledger.intents.uncommitted(), A in ledger.ownership.all(), told(ledger)) == (
            True,
            (),
            True,
            [],
        )


def test_what_cannot_be_told_is_left_for_later(state: Path, host: FolderHost) -> None:
    in_doubt(state, whole=(A,))
    left(host, A)
    with Ledger.open(state) as ledger:
        assert Recovery(host, ledger).remove_uncommitted(REVISION, lambda _: None, no_more) == frozenset()
        assert (host.has(A), ledger.intents.uncommitted(), told(ledger)) == (True, (A,), [])


def test_an_uncommitted_volume_that_something_uses_stays(state: Path, host: FolderHost) -> None:
    in_doubt(state, whole=(A,))
    left(host, A)
    host.used.add(A)
    with Ledger.open(state) as ledger:
        assert Recovery(host, ledger).remove_uncommitted(REVISION, lambda _: False, no_more) == frozenset()
        assert (host.has(A), ledger.intents.uncommitted(), told(ledger)) == (True, (), [])
        ledger.tasks.interrupt("It was cut off.")
        (task,) = ledger.tasks.all()
        assert CameOf.USED.of(A) in task.message


def test_one_that_cannot_be_removed_now_holds_up_no_other(state: Path, host: FolderHost) -> None:
    in_doubt(state, whole=(A, B))
    left(host, A, B)
    host.before[A] = fails(Transient("its pool is off"))
    with Ledger.open(state) as ledger:
        assert Recovery(host, ledger).remove_uncommitted(REVISION, lambda _: False, lambda _: None) == {B}
        assert (host.has(A), ledger.intents.uncommitted(), A in ledger.ownership.all()) == (True, (A,), True)


def test_a_removal_whose_connection_was_lost_is_told_by_the_host(state: Path, host: FolderHost) -> None:
    in_doubt(state, whole=(A,))
    left(host, A)

    def gone_and_lost(stop: threading.Event) -> None:
        host.path(A).unlink()
        raise Disconnected("libvirt is gone")

    host.before[A] = gone_and_lost
    with Ledger.open(state) as ledger:
        recovery = Recovery(host, ledger)
        with pytest.raises(Disconnected):
            recovery.remove_uncommitted(REVISION, lambda _: False, no_more)
        assert [item.step.ref for item in ledger.history.in_doubt()] == [A]
        recovery.recover()
        recovery.account(NOTHING, snapshot_of(host, A))
        assert told(ledger)[-1] == (A, "deleted") and ledger.history.in_doubt() == ()


# Steps whose end nobody saw


def test_a_step_that_was_cut_off_is_accounted_for_by_the_host(state: Path, host: FolderHost) -> None:
    in_doubt(state, steps=(define(LAN),))
    left(host, LAN)
    with Ledger.open(state) as ledger:
        recovery = Recovery(host, ledger)
        recovery.recover()
        recovery.account(NOTHING, snapshot_of(host, LAN))
        recovery.account(NOTHING, snapshot_of(host, LAN))
        assert told(ledger) == [(LAN, "created")] and ledger.history.in_doubt() == ()


def test_what_is_half_made_is_not_accounted_for_until_it_is_gone(state: Path, host: FolderHost) -> None:
    in_doubt(state, steps=(volume(A),), half_made=(A,))
    left(host, A)
    host.before[A] = fails(Transient("its pool is off"))
    with Ledger.open(state) as ledger:
        recovery = Recovery(host, ledger)
        recovery.recover()
        recovery.account(NOTHING, snapshot_of(host, A))
        assert told(ledger) == []
        del host.before[A]
        recovery.recover()
        recovery.account(NOTHING, snapshot_of(host, A))
        assert told(ledger) == [(A, "skipped")]


# Looking


def test_a_look_comes_after_the_recovery_that_is_due(host: FolderHost, ledger: Ledger) -> None:
    ledger.change(begin=[A])
    ledger.intents.give_up([A])
    left(host, A)
    recovery = Recovery(host, ledger)
    assert A in recovery.look(lambda: snapshot_of(host, A)).objects, "nothing says that one is due"
    recovery.record([StepOutcome(volume(A), Result.FAILED, "the disk is full")], REVISION)
    assert recovery.due
    assert A not in recovery.look(lambda: snapshot_of(host, A)).objects
    assert not recovery.due


def test_a_step_that_fails_beside_a_look_has_it_done_again(host: FolderHost, ledger: Ledger) -> None:
    recovery = Recovery(host, ledger)
    looks: list[Snapshot] = []

    def look() -> Snapshot:
        if not looks:
            ledger.change(begin=[A])
            left(host, A)
            ledger.intents.give_up([A])
            recovery.record([StepOutcome(volume(A), Result.FAILED, "the disk is full")], REVISION)
        looks.append(snapshot_of(host, A))
        return looks[-1]

    assert recovery.look(look) is looks[-1]
    assert [A in each.objects for each in looks] == [True, False]


def test_a_look_goes_on_without_what_cannot_be_removed_and_the_next_tries_again(
    host: FolderHost, ledger: Ledger
) -> None:
    ledger.change(begin=[A])
    ledger.intents.give_up([A])
    left(host, A)
    host.before[A] = fails(Transient("its pool is off"))
    recovery = Recovery(host, ledger)
    recovery.record([StepOutcome(volume(A), Result.FAILED, "its pool is off")], REVISION)
    assert A in recovery.look(lambda: snapshot_of(host, A)).objects
    assert recovery.due
    del host.before[A]
    assert A not in recovery.look(lambda: snapshot_of(host, A)).objects


@pytest.mark.parametrize(
    ("result", "leaving", "due"),
    [
        (Result.CREATED, {Result.FAILED}, False),
        (Result.FAILED, {Result.FAILED}, True),
        (Result.SKIPPED, {Result.FAILED}, False),
        (Result.SKIPPED, {Result.FAILED, Result.SKIPPED}, True),
    ],
)
def test_what_may_have_left_something_makes_a_recovery_due(
    host: FolderHost, ledger: Ledger, result: Result, leaving: set[Result], due: bool
) -> None:
    recovery = Recovery(host, ledger)
    recovery.record([StepOutcome(define(LAN), result)], REVISION, leaving=frozenset(leaving))
    assert (recovery.due, told(ledger)) == (due, [(LAN, result.value)])


def test_what_could_not_be_recorded_makes_one_due_too(state: Path, host: FolderHost, ledger: Ledger) -> None:
    recovery = Recovery(host, Ledger.open(state, readonly=True))
    with pytest.raises(StateError):
        recovery.record([StepOutcome(define(LAN), Result.CREATED)], REVISION)
    assert recovery.due
