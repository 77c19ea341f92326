"""What a plan does to the world, to the ledger, and to the steps that come after a failure."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.applying import performing
from reconciler.applying.executor import Executor, Progress
from reconciler.errors import Cancelled, Conflict, Disconnected, Terminal, Transient
from reconciler.ledger.ledger import Ledger
from reconciler.planning.operations import Define, Operation
from reconciler.planning.ownership import Owned
from reconciler.planning.plan import Action, Plan, Step
from reconciler.status.outcome import Result, StepOutcome
from specs.effect import Effect
from specs.reference import Ref
from tests.applying.world import FolderHost, define, network, plan, remove, volume
from tests.lab.small_disk import SmallDisk

A, B, C, D = (network(f"tf-{letter}") for letter in "abcd")
ROOT, DATA = Ref.volume("default", "tf-root"), Ref.volume("default", "tf-data")
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


@pytest.fixture
def executor(host: FolderHost, ledger: Ledger) -> Executor:
    return Executor(host, ledger)


def apply(executor: Executor, *steps: Step, stop: threading.Event | None = None) -> dict[Ref, StepOutcome]:
    outcomes = executor.apply(plan(*steps), stop=stop or threading.Event())
    assert [outcome.step for outcome in outcomes] == list(steps)
    return {outcome.step.ref: outcome for outcome in outcomes}


def results(outcomes: dict[Ref, StepOutcome]) -> dict[Ref, str]:
    return {ref: outcome.result.value for ref, outcome in outcomes.items()}


def raises(*errors: Exception) -> Callable[[threading.Event], None]:
    """Fails with one error after the other, then no more."""
    left = list(errors)

    def before(stop: threading.Event) -> None:
        if left:
            raise left.pop(0)

    return before


def until_stopped(began: threading.Event) -> Callable[[threading.Event], None]:
    def before(stop: threading.Event) -> None:
        began.set()
        assert stop.wait(LIMIT_S)
        raise Cancelled("told to stop")

    return before


def test_each_step_finds_what_it_comes_after_done(executor: Executor, host: FolderHost) -> None:
    found: dict[Ref, frozenset[str]] = {}

    def look(ref: Ref) -> Callable[[threading.Event], object]:
        return lambda stop: found.setdefault(ref, host.names())

    host.before = {ref: look(ref) for ref in (A, B, C, ROOT)}
    outcomes = apply(executor, define(A, ROOT, B), define(B, C), volume(ROOT, C), define(C))
    assert set(results(outcomes).values()) == {"created"}
    assert found[C] == frozenset()
    assert "Network_tf-c" in found[B]
    assert "Network_tf-c" in found[ROOT]
    assert {"Network_tf-b", "StorageVolume_default_tf-root"} <= found[A]


def test_independent_steps_are_under_way_at_once(executor: Executor, host: FolderHost) -> None:
    together = threading.Barrier(4, timeout=LIMIT_S)
    for ref in (A, B, C, D):
        host.before[ref] = lambda stop: together.wait()
    assert set(results(apply(executor, *map(define, (A, B, C, D)))).values()) == {"created"}


def test_no_more_steps_are_under_way_than_there_are_workers(host: FolderHost, ledger: Ledger) -> None:
    lock, running, most = threading.Lock(), [0], [0]

    def before(stop: threading.Event) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        stop.wait(0.01)
        with lock:
            running[0] -= 1

    refs = [network(f"tf-{number}") for number in range(20)]
    host.before = dict.fromkeys(refs, before)
    apply(Executor(host, ledger, quick_workers=2), *map(define, refs))
    assert most == [2]


def test_guests_that_take_their_time_do_not_hold_up_definitions(executor: Executor, host: FolderHost) -> None:
    defined = threading.Event()
    slow = [network(f"tf-slow-{number}") for number in range(10)]
    for ref in slow:
        host.before[ref] = lambda stop: _must(defined.wait(LIMIT_S))
    host.before[A] = lambda stop: defined.set()
    outcomes = apply(executor, *(define(ref, start=True) for ref in slow), define(A))
    assert set(results(outcomes).values()) == {"created"}


def test_servers_that_take_their_time_hold_up_neither_definitions_nor_guests(
    executor: Executor, host: FolderHost
) -> None:
    started = threading.Event()
    fetched = [Ref.volume("default", f"tf-{number}") for number in range(10)]
    for ref in fetched:
        host.before[ref] = lambda stop: _must(started.wait(LIMIT_S))
    host.before[A] = lambda stop: started.set()
    outcomes = apply(
        executor, *(volume(ref, url="http://slow.example/image") for ref in fetched), define(A, start=True)
    )
    assert set(results(outcomes).values()) == {"created"}


def test_volumes_of_one_pool_are_made_one_after_the_other_and_take_no_worker_while_they_wait(
    host: FolderHost, ledger: Ledger
) -> None:
    elsewhere = threading.Event()
    volumes = [Ref.volume("default", f"tf-{number}") for number in range(8)]
    host.before[volumes[0]] = lambda stop: _must(elsewhere.wait(LIMIT_S))
    other = Ref.volume("other", "tf-x")
    host.before[other] = lambda stop: elsewhere.set()
    # One worker is with the first volume: the other pool's would never come if the next of this pool waited in one.
    outcomes = apply(Executor(host, ledger, quick_workers=2), *map(volume, volumes), volume(other))
    assert set(results(outcomes).values()) == {"created"}


def test_a_pool_is_shared_by_plans_that_are_applied_at_once(executor: Executor, host: FolderHost) -> None:
    found: list[dict[Ref, StepOutcome]] = []

    def one(number: int) -> None:
        found.append(apply(executor, *(volume(Ref.volume("default", f"tf-{number}-{each}")) for each in range(25))))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [outcome.message for outcomes in found for outcome in outcomes.values() if outcome.message] == []
    assert len(host.names()) == 100


def test_a_download_keeps_nobody_out_of_its_pool(executor: Executor, host: FolderHost) -> None:
    made = threading.Event()
    host.before[ROOT] = lambda stop: _must(made.wait(LIMIT_S))
    host.before[DATA] = lambda stop: made.set()
    outcomes = apply(executor, volume(ROOT, url="https://example.org/image"), volume(DATA))
    assert results(outcomes) == {ROOT: "created", DATA: "created"}


def test_a_failure_stops_only_what_depends_on_it(executor: Executor, host: FolderHost) -> None:
    host.before[A] = raises(Terminal("no such bridge; create br0"))
    outcomes = apply(executor, define(A), define(B, A), define(C, B), define(D))
    assert results(outcomes) == {A: "failed", B: "skipped", C: "skipped", D: "created"}
    assert outcomes[A].message == "no such bridge; create br0"
    assert outcomes[A].retry_after_s is None
    assert "Network/tf-a failed" in outcomes[B].message
    assert "Network/tf-a failed" in outcomes[C].message
    assert host.names() == {"Network_tf-d"}


def test_the_first_failing_operation_ends_its_step(executor: Executor, host: FolderHost) -> None:
    step = define(A, start=True)
    calls: list[Operation] = []

    def perform(operation: Operation, **_: object) -> None:
        calls.append(operation)
        raise Terminal("no")

    host.perform = perform  # type: ignore[method-assign]
    assert results(apply(executor, step)) == {A: "failed"}
    assert calls == [step.operations[0]]


def test_what_goes_away_by_itself_is_tried_again_at_once(executor: Executor, host: FolderHost) -> None:
    busy = Transient("pool 'default' has asynchronous jobs running; it is tried again", 0.1)
    host.before[ROOT] = raises(busy, busy, busy)
    assert results(apply(executor, volume(ROOT))) == {ROOT: "created"}


def test_what_stays_busy_fails_with_its_hint(executor: Executor, host: FolderHost) -> None:
    host.before[ROOT] = raises(*[Transient("busy; it is tried again", 0.1)] * 50)
    outcome = apply(executor, volume(ROOT))[ROOT]
    assert (outcome.result, outcome.message, outcome.retry_after_s) == (Result.FAILED, "busy; it is tried again", 0.1)


def test_what_asks_for_a_long_wait_does_not_hold_a_worker(executor: Executor, host: FolderHost) -> None:
    host.before[A] = raises(Transient("the guest doesn't stop", 60.0))
    assert apply(executor, define(A))[A].retry_after_s == 60.0


def test_what_took_long_to_fail_is_not_tried_again_at_once(
    executor: Executor, host: FolderHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(performing, "_PATIENCE_S", 0.0)
    host.before[A] = raises(Transient("the guest doesn't stop"))
    assert results(apply(executor, define(A))) == {A: "failed"}


def test_an_unexpected_error_is_a_failure_and_its_text_stays_in_the_log(
    executor: Executor, host: FolderHost, caplog: pytest.LogCaptureFixture
) -> None:
    host.before[A] = raises(KeyError("hunter2"))
    outcomes = apply(executor, define(A), define(B))
    assert results(outcomes) == {A: "failed", B: "created"}
    assert outcomes[A].message.startswith("Define of Network/tf-a ended with an unexpected KeyError; the log has")
    assert "hunter2" not in outcomes[A].message
    assert "Traceback" in caplog.text


def test_when_the_host_goes_away_nothing_more_begins(host: FolderHost, ledger: Ledger) -> None:
    host.before[A] = raises(Disconnected("libvirtd doesn't answer"))
    others = [network(f"tf-{number}") for number in range(50)]
    outcomes = apply(Executor(host, ledger, quick_workers=1), define(A), define(B, A), *map(define, others))
    assert results(outcomes) == {A: "failed", **dict.fromkeys([B, *others], "skipped")}
    assert "libvirtd doesn't answer" in outcomes[others[-1]].message
    assert host.names() == frozenset()


def test_stop_ends_what_runs_and_begins_nothing(executor: Executor, host: FolderHost) -> None:
    stop, began = threading.Event(), threading.Event()
    host.before[A] = until_stopped(began)

    def stop_it() -> None:
        began.wait(LIMIT_S)
        stop.set()

    stopper = threading.Thread(target=stop_it)
    stopper.start()
    outcomes = apply(executor, define(A, start=True), define(B, A), stop=stop)
    stopper.join()
    assert results(outcomes) == {A: "skipped", B: "skipped"}
    assert all("the agent is stopping" in outcome.message for outcome in outcomes.values())
    assert host.names() == frozenset()
    assert results(apply(executor, define(C), stop=stop)) == {C: "skipped"}


def test_stop_does_not_wait_for_the_next_try(executor: Executor, host: FolderHost) -> None:
    stop = threading.Event()

    def before(_: threading.Event) -> None:
        stop.set()
        raise Transient("busy")

    host.before[A] = before
    assert results(apply(executor, define(A), stop=stop)) == {A: "skipped"}


def test_a_circle_is_left_out_and_everything_else_is_done(executor: Executor, host: FolderHost) -> None:
    outcomes = apply(executor, define(A, B), define(B, A), define(C, A), define(D))
    assert results(outcomes) == {A: "skipped", B: "skipped", C: "skipped", D: "created"}
    assert "waits for itself" in outcomes[A].message


def test_names_without_a_step_are_no_reason_to_wait(executor: Executor) -> None:
    assert results(apply(executor, define(A, B))) == {A: "created"}


def test_an_empty_plan_is_done(executor: Executor) -> None:
    assert executor.apply(Plan("r1"), stop=threading.Event()) == ()


def test_results_follow_the_action(executor: Executor, host: FolderHost) -> None:
    update = Step(B, Action.UPDATE, "", Effect.LIVE, (Define(B, "u", "<b/>"),))
    nothing = Step(D, Action.UPDATE, "", Effect.LIVE, ())
    outcomes = apply(executor, define(A), update, remove(C), nothing)
    assert results(outcomes) == {A: "created", B: "configured", C: "deleted", D: "unchanged"}


def test_progress_is_told_and_a_broken_display_stops_nothing(executor: Executor, host: FolderHost) -> None:
    told: list[Progress] = []

    def tell(progress: Progress) -> None:
        told.append(progress)
        raise RuntimeError("no terminal")

    step = volume(ROOT)
    executor.apply(plan(step), stop=threading.Event(), on_progress=tell)
    size = len("<tf-root/>")
    assert [(item.operation, item.done, item.total) for item in told[:2]] == [
        (step.operations[0], 0, None),
        (step.operations[0], size, size),
    ]
    assert told[2].outcome is not None
    assert told[2].outcome.result is Result.CREATED


# The host is settled once


def test_the_host_settles_once_after_the_last_volume(executor: Executor, host: FolderHost) -> None:
    host.before[DATA] = raises(Terminal("no"))
    apply(executor, volume(ROOT), volume(DATA), volume(Ref.volume("default", "tf-more"), DATA), define(A))
    assert len(host.settled) == 1
    assert "StorageVolume_default_tf-root" in host.settled[0]


def test_the_host_does_not_settle_without_a_volume(executor: Executor, host: FolderHost) -> None:
    apply(executor, define(A))
    assert host.settled == []


# The ledger


def test_what_was_made_is_owned_and_what_was_removed_is_not(executor: Executor, ledger: Ledger) -> None:
    first, second = define(A), volume(ROOT)
    apply(executor, first, second)
    assert dict(ledger.ownership.all()) == {A: first.owned, ROOT: second.owned}
    apply(executor, remove(A), remove(ROOT))
    assert ledger.ownership.all() == {}


def test_a_volume_is_written_down_before_it_is_made_and_as_whole_before_it_is_used(
    executor: Executor, host: FolderHost, ledger: Ledger, tmp_path: Path
) -> None:
    beside: dict[Ref, tuple[tuple[Ref, ...], set[Ref]]] = {}

    def look(stop: threading.Event, ref: Ref = ROOT) -> None:
        reader = Ledger.open(tmp_path / "state", readonly=True)
        beside[ref] = (reader.intents.unfinished(), set(reader.ownership.all()))

    host.before[ROOT] = look
    host.before[A] = lambda stop: look(stop, A)
    apply(executor, volume(ROOT), define(A, ROOT))
    assert beside[ROOT] == ((ROOT,), {A})  # A's UUID is ours before anything has it
    assert beside[A] == ((), {A, ROOT})
    assert ledger.intents.unfinished() == ()


@pytest.mark.parametrize("error", [Disconnected("gone"), Cancelled("stopping"), ValueError("a bug")])
def test_a_volume_whose_making_was_cut_off_is_unfinished(
    executor: Executor, host: FolderHost, ledger: Ledger, error: Exception
) -> None:
    host.before[ROOT] = raises(error)
    apply(executor, volume(ROOT), volume(DATA, ROOT))
    assert ledger.intents.unfinished() == (ROOT,)
    assert ledger.ownership.all() == {}


def test_a_volume_that_could_not_be_made_is_not_unfinished(
    executor: Executor, host: FolderHost, ledger: Ledger
) -> None:
    host.before[ROOT] = raises(Conflict("somebody else's volume has this name"))
    apply(executor, volume(ROOT), volume(DATA, ROOT))
    assert ledger.intents.unfinished() == ()
    assert ledger.ownership.all() == {}


def test_what_failed_halfway_is_ours_and_not_yet_applied(executor: Executor, host: FolderHost, ledger: Ledger) -> None:
    host.before[A] = raises(Terminal("no"))
    apply(executor, define(A))
    entry = ledger.ownership.all()[A]
    assert entry.uid == "uid-of-tf-a"
    assert entry.facts == {"subnet": "192.168.99.0/24"}


def test_nothing_is_made_while_the_ledger_cannot_be_written(host: FolderHost, small_disk: SmallDisk) -> None:
    ledger = Ledger.open(small_disk.path)
    small_disk.fill()
    many = [volume(Ref.volume("default", f"tf-{number}-{'x' * 200}")) for number in range(500)]
    with pytest.raises(Exception, match="full"):
        apply(Executor(host, ledger), *many)
    assert host.names() == frozenset()


def test_a_volume_that_cannot_be_written_down_is_not_used_and_is_written_down_later(
    host: FolderHost, small_disk: SmallDisk
) -> None:
    ledger = Ledger.open(small_disk.path)
    executor = Executor(host, ledger)
    host.before[ROOT] = lambda stop: small_disk.fill()
    entry = Owned(ROOT, "", facts={"note": "x" * 50_000})  # needs more room than SQLite has put by
    step = replace(volume(ROOT), owned=entry)
    outcomes = apply(executor, step, define(A, ROOT))
    assert results(outcomes) == {ROOT: "failed", A: "skipped"}
    assert "full" in outcomes[ROOT].message

    small_disk.empty()
    apply(executor, define(B))
    assert ledger.ownership.all()[ROOT] == entry
    assert ledger.intents.unfinished() == ()


def test_a_thousand_steps_each_end_once_in_the_order_of_the_plan(tmp_path: Path, ledger: Ledger) -> None:
    class Idle:
        def perform(self, operation: Operation, **_: object) -> None:
            pass

        def settle(self) -> None:
            pass

    executor = Executor(Idle(), ledger)
    refs = [network(f"tf-{number}") for number in range(1000)]
    shapes = {
        "independent": [Step(ref, Action.UPDATE, "", Effect.LIVE, (Define(ref, "", ""),)) for ref in refs],
        "a chain": [
            Step(ref, Action.UPDATE, "", Effect.LIVE, (Define(ref, "", ""),), after=frozenset({before}))
            for before, ref in zip([A, *refs], refs, strict=False)
        ],
    }
    for shape, steps in shapes.items():
        outcomes = executor.apply(Plan("r1", tuple(steps)), stop=threading.Event())
        assert [outcome.step for outcome in outcomes] == steps, shape
        assert all(outcome.result is Result.CONFIGURED for outcome in outcomes), shape


def _must(came: bool) -> None:
    assert came, "waited in vain"
