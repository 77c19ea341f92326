"""What a user is told about each object after a pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.desired.state import DesiredState, Policy, Resource
from reconciler.loop.backoff import Backoff
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.operations import Define, Undefine
from reconciler.planning.plan import Action, Blocked, Plan, Step, Waiting
from reconciler.source.tree import Revision
from reconciler.status.condition import Condition
from reconciler.status.drift import Drift, DriftedField, DriftKind
from reconciler.status.one_pass import Pass
from reconciler.status.outcome import Result, StepOutcome, last_of_each
from reconciler.status.retries import CrashLoop, Flapping
from reconciler.status.status import _Conditions, conditions, printable_status, status_word
from reconciler.status.suspension import ALL, ANYTHING, Suspension
from specs.effect import Change, Effect
from specs.host import Host
from specs.problem import Problem
from specs.reference import NETWORK, STORAGE_POOL, VIRTUAL_MACHINE, Ref

WEB, LAN, POOL = Ref(VIRTUAL_MACHINE, "tf-web"), Ref(NETWORK, "tf-lan"), Ref(STORAGE_POOL, "tf-pool")
DISK = Ref.volume("tf-pool", "tf-web-root")
REVISION = Revision("main", "sha1", "0123")
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)

ByType = Mapping[str, Condition]


def resource(ref: Ref, parent: Ref | None = None) -> Resource:
    return Resource(ref, "u", {}, f"{ref.name}.yaml", 1, parent=parent)


def step(ref: Ref, *after: Ref, action: Action = Action.CREATE) -> Step:
    operation = Undefine(ref, "u") if action is Action.DELETE else Define(ref, "u", "<x/>")
    return Step(ref, action, "declared, and not on the host", Effect.LIVE, (operation,), after=frozenset(after))


def told(
    plan: Plan | None = None,
    outcomes: Iterable[StepOutcome] = (),
    *,
    declared: Iterable[Resource] = (),
    problems: tuple[Problem, ...] = (),
    held: frozenset[Ref] = frozenset(),
    connected: bool = True,
    suspended: frozenset[Ref] = frozenset(),
    backoff: Backoff | None = None,
    **more: Any,
) -> dict[Ref, ByType]:
    desired = DesiredState(REVISION, "r", {item.ref: item for item in declared}, problems, held)
    snapshot = Snapshot(1, Host(), {}, connected=connected)
    now = Pass(
        desired,
        snapshot,
        plan or Plan(str(REVISION)),
        outcomes=last_of_each(outcomes),
        suspensions={ref: Suspension() for ref in ([ANYTHING] if suspended is ALL else suspended)},
        retries=backoff.retries() if backoff is not None else {},
        **more,
    )
    found = conditions(now)
    assert all(items[0].type == "Ready" for items in found.values())
    assert all(item.status for items in found.values() for item in items[1:])
    return {ref: {item.type: item for item in items} for ref, items in found.items()}


def test_an_object_at_rest_is_ready_and_nothing_else_is_said() -> None:
    found = told(declared=[resource(LAN)])
    assert found == {
        LAN: {"Ready": Condition("Ready", True, "Succeeded", "the host is as the document says", "main@sha1:0123")}
    }


def test_a_step_of_this_pass_that_succeeded_makes_it_ready() -> None:
    made = step(LAN)
    found = told(Plan("r", (made,)), [StepOutcome(made, Result.CREATED)], declared=[resource(LAN)])
    assert found[LAN]["Ready"].status
    assert set(found[LAN]) == {"Ready"}


def test_a_step_that_runs_or_is_still_to_come_is_reconciling() -> None:
    earlier = StepOutcome(step(LAN), Result.CONFIGURED)
    for outcomes in ([], [earlier]):
        found = told(Plan("r", (step(LAN),)), outcomes, declared=[resource(LAN)])
        assert (found[LAN]["Ready"].status, found[LAN]["Ready"].reason) == (False, "Progressing")
        assert found[LAN]["Reconciling"].message == "declared, and not on the host"


@pytest.mark.parametrize(
    ("retry_after_s", "reason", "at"),
    [(1.0, "BackingOff", "12:00:02.000Z"), (None, "TerminalError", "12:01:00.000Z")],
)
def test_a_failure_stalls_with_its_sentence_and_the_next_try(retry_after_s: float | None, reason: str, at: str) -> None:
    backoff = Backoff(clock=lambda: 0.0, now=lambda: NOON, random=lambda: 0.0)
    backoff.failed(LAN, retry_after_s=retry_after_s)
    backoff.failed(LAN, retry_after_s=retry_after_s)
    failed = StepOutcome(step(LAN), Result.FAILED, "no such bridge; create br0")
    # The pass after the failure plans the step anew and leaves it for later.
    found = told(Plan("r", (step(LAN),)), [failed], declared=[resource(LAN)], backoff=backoff)
    assert found[LAN]["Ready"].reason == "Failed"
    assert found[LAN]["Ready"].message == "no such bridge; create br0"
    assert found[LAN]["Stalled"].reason == reason
    assert f"failed 2 times; tried again at 2026-01-31T{at}" in found[LAN]["Stalled"].message
    assert "Reconciling" not in found[LAN]


def test_an_old_failure_is_forgotten_once_nothing_is_left_to_do() -> None:
    failed = StepOutcome(step(LAN), Result.FAILED, "no such bridge")
    assert told(outcomes=[failed], declared=[resource(LAN)])[LAN]["Ready"].status


@pytest.mark.parametrize("later", [False, True], ids=["in the pass of the failure", "while it backs off"])
def test_whoever_waits_for_a_failure_is_told_its_name_at_any_distance(later: bool) -> None:
    pool, disk, web = step(POOL), step(DISK, POOL), step(WEB, DISK)
    outcomes = [
        StepOutcome(pool, Result.FAILED, "no such folder"),
        StepOutcome(disk, Result.SKIPPED, "left out"),
        StepOutcome(web, Result.SKIPPED, "left out"),
    ]
    planned = (step(POOL), step(DISK, POOL), step(WEB, DISK)) if later else (pool, disk, web)
    found = told(Plan("r", planned), outcomes, declared=map(resource, (POOL, DISK, WEB)))
    for ref in (DISK, WEB):
        assert found[ref]["Ready"].reason == "DependencyNotReady"
        assert "waits for StoragePool/tf-pool, which failed" in found[ref]["Ready"].message


def test_what_was_interrupted_says_why() -> None:
    stopped = step(LAN)
    outcome = StepOutcome(stopped, Result.SKIPPED, "the agent is stopping")
    ready = told(Plan("r", (stopped,)), [outcome], declared=[resource(LAN)])[LAN]["Ready"]
    assert (ready.reason, ready.message) == ("Interrupted", "the agent is stopping")


def test_what_is_blocked_says_the_plans_reason_and_where_it_is_written() -> None:
    plan = Plan("r", blocked=(Blocked(LAN, "OwnedByOther", "it belongs to another repository", "lan.yaml", 7),))
    found = told(plan, declared=[resource(LAN)])[LAN]
    assert found["Ready"].reason == "OwnedByOther"
    assert found["Ready"].message == "lan.yaml:7: it belongs to another repository"
    assert found["Stalled"].reason == "OwnedByOther"


def test_what_only_waits_for_another_object_is_not_stalled() -> None:
    found = told(Plan("r", blocked=(Blocked(WEB, "DependencyNotReady", "needs a pool"),)), declared=[resource(WEB)])
    assert set(found[WEB]) == {"Ready"}


def test_a_broken_document_is_told_by_line_and_column() -> None:
    problem = Problem("web.yaml", 3, 11, "memory must be a number; write 2048", "/spec/memory", WEB)
    found = told(problems=(problem,), held=frozenset({WEB, LAN}))
    assert found[WEB]["Ready"].reason == "InvalidDocument"
    assert found[WEB]["Ready"].message == "web.yaml:3:11: memory must be a number; write 2048 (at /spec/memory)"
    assert found[LAN]["Ready"].reason == "InvalidDocument"


def test_many_problems_of_one_document_are_counted() -> None:
    problems = tuple(Problem("web.yaml", line, 1, "unknown field", "", WEB) for line in range(1, 6))
    message = told(problems=problems)[WEB]["Ready"].message
    assert "web.yaml:3:1" in message
    assert message.endswith("and 2 more")


def test_a_machine_lists_every_field_that_waits_for_a_boot() -> None:
    changes = (
        Change("/memory", 1024, 2048, Effect.NEXT_BOOT),
        Change("/disks/root/bus", "sata", "virtio", Effect.NEXT_BOOT),
        Change("/firmware", None, "uefi", Effect.NEXT_BOOT),
    )
    found = told(Plan("r", waiting=(Waiting(WEB, changes),)), declared=[resource(WEB)])[WEB]
    assert found["Ready"].status
    assert found["RestartRequired"].message == (
        "/memory 1024 → 2048, /disks/root/bus sata → virtio, /firmware (none) → uefi; waits for its next boot"
    )


def test_drift_that_is_only_told_names_its_fields() -> None:
    plan = Plan("r", drifted=((LAN, (Change("/autostart", False, True, Effect.LIVE),)),))
    warned = Resource(LAN, "u", {}, "lan.yaml", 1, policy=Policy(drift="warn"))
    found = told(plan, declared=[warned])[LAN]
    assert found["Ready"].status
    assert found["Drifted"].message == "/autostart false → true; driftPolicy: warn leaves it"


def test_what_is_only_observed_differs_and_isnt_told_twice() -> None:
    plan = Plan("r", drifted=((LAN, (Change("/autostart", False, True, Effect.LIVE),)),))
    fields = (DriftedField("/autostart", True, False),)
    desired = DesiredState(REVISION, "r", {LAN: resource(LAN)})
    drifts = [Drift(LAN, DriftKind.CHANGED, "enforce", fields)]
    found = conditions(Pass(desired, Snapshot(1, Host(), {}), plan), drifts)[LAN]
    assert [item.type for item in found] == ["Ready", "Drifted"]
    assert found[1].message == "/autostart false → true; it is only observed so far, and left as it is"


def test_what_is_suspended_says_how_to_resume_it_and_so_do_its_own_disks() -> None:
    declared = [resource(WEB), resource(DISK, parent=WEB), resource(LAN)]
    found = told(Plan("r", (step(WEB),)), declared=declared, suspended=frozenset({WEB}))
    assert found[WEB]["Ready"].reason == "Suspended"
    assert "onggi resume VirtualMachine tf-web" in found[WEB]["Suspended"].message
    assert "Suspended" in found[DISK]
    assert found[LAN]["Ready"].status
    assert all("Suspended" in items for items in told(declared=declared, suspended=ALL).values())


def test_what_somebody_changes_on_a_suspended_object_is_told_and_left() -> None:
    gone, changed = Change("/", None, "present", Effect.LIVE), Change("/title", "theirs", "ours", Effect.LIVE)
    plan = Plan("r", suspended=((WEB, (changed,)), (LAN, (gone,))))
    found = told(plan, declared=[resource(WEB), resource(LAN)], suspended=frozenset({WEB, LAN}))
    assert found[WEB]["Drifted"].message == "/title theirs → ours; suspended, so it is left as it is"
    assert found[LAN]["Drifted"].message == "it isn't on the host any more; suspended, so it is left as it is"
    assert found[LAN]["Ready"].reason == "Suspended"


def test_without_the_host_nothing_is_ready() -> None:
    found = told(declared=[resource(LAN)], connected=False)
    assert (found[LAN]["Ready"].status, found[LAN]["Ready"].reason) == (False, "HostUnreachable")


def test_what_leaves_is_told_until_it_is_gone() -> None:
    leaving = step(LAN, action=Action.DELETE)
    plan = Plan("r", (leaving,))
    assert told(plan)[LAN]["Ready"].reason == "Pruning"
    assert told(plan, [StepOutcome(leaving, Result.FAILED, "in use")])[LAN]["Ready"].reason == "PruneFailed"
    assert told(plan, [StepOutcome(leaving, Result.DELETED)]) == {}


def test_two_passes_without_news_say_the_same() -> None:
    backoff = Backoff(clock=lambda: 0.0, now=lambda: NOON)
    backoff.failed(LAN)
    failed = StepOutcome(step(LAN), Result.FAILED, "no")
    first = told(Plan("r", (step(LAN),)), [failed], declared=[resource(LAN)], backoff=backoff)
    assert first == told(Plan("r", (step(LAN),)), [failed], declared=[resource(LAN)], backoff=backoff)


@pytest.mark.parametrize(
    ("kind", "state", "word"),
    [
        (VIRTUAL_MACHINE, "running", "Running"),
        (VIRTUAL_MACHINE, "paused", "Paused"),
        (VIRTUAL_MACHINE, "shutoff", "Stopped"),
        (VIRTUAL_MACHINE, "crashed", "Crashed"),
        (NETWORK, "active", "Active"),
        (STORAGE_POOL, "inactive", "Inactive"),
        ("StorageVolume", "inactive", "Available"),
        ("Template", "", "Ready"),
    ],
)
def test_one_word_says_what_an_object_does(kind: str, state: str, word: str) -> None:
    assert status_word([Condition("Ready", True, "Succeeded")], kind, state) == word


@pytest.mark.parametrize(
    ("found", "state", "word"),
    [
        ([Condition("Ready", False, "InvalidDocument")], "running", "InvalidDocument"),
        ([Condition("Ready", False, "Progressing"), Condition("Reconciling", True, "Progressing")], "", "Provisioning"),
        ([Condition("Ready", False, "Progressing")], "running", "Updating"),
        ([Condition("Ready", False, "Failed"), Condition("Stalled", True, "BackingOff")], "running", "BackingOff"),
        ([Condition("Ready", False, "Suspended"), Condition("Suspended", True, "ByUser")], "running", "Suspended"),
    ],
)
def test_one_word_says_what_is_wrong(found: list[Condition], state: str, word: str) -> None:
    assert status_word(found, VIRTUAL_MACHINE, state) == word


def test_the_word_is_read_from_the_observed_object() -> None:
    at_rest = [Condition("Ready", True, "Succeeded")]
    assert printable_status(at_rest, Observed(WEB, "u", "<domain/>", state="paused")) == "Paused"
    assert printable_status([Condition("Ready", False, "Progressing")], None) == "Provisioning"


def test_what_is_at_rest_is_one_value_from_pass_to_pass_and_only_the_others_are_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many = {ref: resource(ref) for ref in (Ref(NETWORK, f"n{number}") for number in range(50))}
    desired, asked, of = DesiredState(REVISION, "r", many | {WEB: resource(WEB)}), [], _Conditions.of

    def ask(self: _Conditions, ref: Ref, declared: Resource | None) -> tuple[Condition, ...]:
        asked.append(ref)
        return of(self, ref, declared)

    monkeypatch.setattr(_Conditions, "of", ask)
    plan = Plan(str(REVISION), steps=(step(WEB),))
    first, second = (conditions(Pass(desired, Snapshot(serial, Host(), {}), plan)) for serial in (1, 2))
    assert asked == [WEB, WEB]
    assert len({id(found[ref]) for found in (first, second) for ref in many}) == 1
    assert list(first) == list(desired.resources)


MEMORY = Change("/memory", 1024, 2048, Effect.NEXT_BOOT)
AT_REST = {"Ready": Condition("Ready", True, "Succeeded", "the host is as the document says", str(REVISION))}
REASONS: dict[str, Any] = {
    "a problem": {"problems": (Problem("web.yaml", 1, 1, "broken", ref=WEB),)},
    "its document is held": {"held": frozenset({WEB})},
    "a crash loop": {"plan": Plan("", steps=(step(WEB),)), "crash_loops": {WEB: CrashLoop(3, "crashed", NOON)}},
    "a fight": {"flapping": {WEB: Flapping("/memory", 3)}},
    "a step": {"plan": Plan("", steps=(step(WEB),))},
    "a block": {"plan": Plan("", blocked=(Blocked(WEB, "InUse", "no", "web.yaml", 1),))},
    "a block of a part": {"plan": Plan("", blocked=(Blocked(WEB, "InUse", "no", "web.yaml", 1, part="/disks"),))},
    "waiting": {"plan": Plan("", waiting=(Waiting(WEB, (MEMORY,)),))},
    "drift": {"plan": Plan("", drifted=((WEB, (MEMORY,)),))},
    "a seed that nobody read": {"unread_seeds": {WEB: "nobody read it"}},
    "it is suspended": {"suspended": frozenset({WEB})},
    "everything is": {"suspended": ALL},
}


@pytest.mark.parametrize("more", REASONS.values(), ids=[name.replace(" ", "-") for name in REASONS])
def test_whatever_there_is_to_tell_of_an_object_is_told_of_it_among_many_at_rest(more: Any) -> None:
    found = told(declared=[resource(WEB), resource(LAN)], **more)
    assert found[WEB] != AT_REST
    assert (found[LAN] == AT_REST) == (more.get("suspended") is not ALL)
