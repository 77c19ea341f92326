"""What is told when it begins and ends, and what a script takes for an error, as tables of conditions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.desired.state import DesiredState
from reconciler.planning.ownership import Owned
from reconciler.planning.plan import Action, Step
from reconciler.reporting.matters import FILE, is_well, matters
from reconciler.status.broken import hidden
from reconciler.status.condition import Condition
from reconciler.status.source_state import source_state
from reconciler.status.step_text import step_text
from specs.effect import Change, Effect
from specs.problem import Problem
from specs.reference import Ref
from tests.planning.values import REVISION, resource, vm

WEB = vm("web")


def ready(reason: str, *, status: bool = False) -> Condition:
    return Condition("Ready", status, reason, "because")


def noted(type_: str, reason: str = "R") -> Condition:
    return Condition(type_, True, reason, "because")


AT_REST = ready("Succeeded", status=True)


@pytest.mark.parametrize(
    ("conditions", "reasons", "well"),
    [
        ((AT_REST,), [], True),
        ((ready("Progressing"), noted("Reconciling", "Progressing")), [], True),
        ((ready("OutsideWindow"),), [], True),
        ((ready("Suspended"), noted("Suspended", "ByUser")), [], True),
        ((ready("OwnedByOther"), noted("Stalled", "OwnedByOther")), ["OwnedByOther"], False),
        ((ready("DependencyNotReady"),), ["DependencyNotReady"], False),
        ((ready("InvalidDocument"),), ["InvalidDocument"], False),
        ((ready("NeedsApproval"), noted("Stalled", "NeedsApproval")), ["NeedsApproval"], False),
        ((ready("Failed"), noted("Stalled", "BackingOff")), [], False),  # its steps' events tell
        ((ready("HostUnreachable"),), [], False),
        ((AT_REST, noted("Stalled", "Flapping")), ["Flapping"], False),
        ((AT_REST, noted("Drifted", "NotHealedYet")), [], True),
        ((AT_REST, noted("Drifted", "NotHealed")), ["Drifted"], True),
        ((AT_REST, noted("RestartRequired", "PendingChanges")), [], True),
        ((AT_REST, noted("RestartRequired", "NeedsApproval")), ["NeedsApproval"], True),
        ((AT_REST, noted("DataLost")), ["DataLost"], False),  # and whatever else is found out one day
    ],
)
def test_what_is_told_of_an_object_and_whether_it_is_an_error(
    conditions: tuple[Condition, ...], reasons: list[str], well: bool
) -> None:
    assert [reason for _, reason in matters({WEB: conditions})] == reasons
    assert is_well(conditions) is well


def test_a_file_in_which_no_document_is_known_is_told_by_itself() -> None:
    problems = [Problem("a.yaml", line, 1, f"mistake {line}") for line in (3, 1, 2, 4)]
    told = matters({}, [*problems, Problem("b.yaml", 1, 1, "known", "", WEB)])
    assert told == {
        (Ref(FILE, "a.yaml"), "InvalidDocument"): "a.yaml:1:1: mistake 1; a.yaml:2:1: mistake 2; a.yaml:3:1: mistake 3;"
        " and 1 more"
    }


def test_what_came_from_a_file_that_cannot_be_read_is_found_again_with_the_mistake() -> None:
    mistake, other = Problem("vms/web.yaml", 2, 1, "isn't YAML"), Problem("db.yaml", 1, 1, "wrong", "", vm("db"))
    disk = Ref.volume("p", "db-root")
    owned = {
        WEB: Owned(WEB, "u", "vms/web.yaml"),
        vm("gone"): Owned(vm("gone"), "u", "gone.yaml"),
        vm("well"): Owned(vm("well"), "u", "vms/web.yaml"),
        disk: Owned(disk, "", "db.yaml", parent=vm("db")),
    }
    desired = DesiredState(
        REVISION, "r", {vm("well"): resource(vm("well"))}, (mistake, other), frozenset({vm("db")}),
        frozenset({"vms/web.yaml"}),
    )  # fmt: skip
    assert hidden(desired, owned) == {WEB: [mistake], disk: [other]}
    in_its_folders_place = replace(desired, held_paths=frozenset({"vms"}), problems=(Problem("vms", 0, 0, "a link"),))
    assert hidden(in_its_folders_place, owned)[WEB] == [Problem("vms", 0, 0, "a link")]
    assert hidden(DesiredState(REVISION, "r", {}), owned) == {}


EMPTY = DesiredState(REVISION, "r", {}, prunable=False)


@pytest.mark.parametrize(
    ("desired", "given", "reason"),
    [
        (EMPTY, {}, "Empty"),
        (EMPTY, {"owns": False}, None),  # a repository to begin with
        (replace(EMPTY, prunable=True), {}, None),
        (replace(EMPTY, prunable=True), {"unanswered": "away"}, "NotAnswering"),
        (EMPTY, {"unanswered": "away", "unreadable": "no branch"}, "Unreadable"),
        (None, {"unreadable": "not signed", "untrusted": True}, "NotTrusted"),
    ],
)
def test_how_the_source_is(desired: DesiredState | None, given: dict[str, object], reason: str | None) -> None:
    defaults: dict[str, object] = {"unreadable": "", "untrusted": False, "unanswered": "", "owns": True}
    state = source_state(desired, **(defaults | given))  # type: ignore[arg-type]
    assert (state.reason if state is not None else None) == reason
    if state is not None and reason != "Empty":
        assert ("no revision is in force" in state.message) is (desired is None)


def changed(*changes: Change, action: Action = Action.UPDATE) -> str:
    return step_text(Step(WEB, action, "because", Effect.LIVE, (), changes))


def test_a_step_is_told_by_its_fields_from_old_to_new_in_bounds() -> None:
    memory = Change("/memory", 96, 64, Effect.LIVE)
    assert changed(memory, Change("/metadata", None, "mark", Effect.LIVE)) == "because: /memory 96 → 64"
    assert changed(memory, action=Action.CREATE) == "because"
    text = changed(Change("/description", "one\nsecret two", "three\nfour", Effect.LIVE))
    assert text == "because: /description changed"
    many = changed(*(Change(f"/field{number}", "x" * 500, "\x1b[31m" * 500, Effect.LIVE) for number in range(50)))
    assert many.endswith(", and 42 more fields")
    assert len(many) < 1000
    assert "\x1b" not in many
