"""What a pass means for the commit that it was about."""

from __future__ import annotations

from types import MappingProxyType

from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired.state import DesiredState
from reconciler.forges.commit_status import outcome_status, proposal_status
from reconciler.forges.forge import CommitStatus, State
from reconciler.observed.snapshot import Snapshot
from reconciler.planning.plan import Action, Blocked, Plan, Step, Waiting
from reconciler.source.tree import Revision
from reconciler.status.one_pass import Pass
from reconciler.status.outcome import Result, StepOutcome, last_of_each
from specs.effect import Change, Effect
from specs.host import Host
from specs.problem import Problem
from specs.reference import Ref

WEB, DB = Ref("VirtualMachine", "web"), Ref("VirtualMachine", "db")
REVISION = Revision("main", "sha1", "0" * 40)


def desired(*problems: Problem) -> DesiredState:
    return DesiredState(REVISION, "id", MappingProxyType({}), problems=problems)


def step(ref: Ref, action: Action = Action.UPDATE) -> Step:
    return Step(ref, action, "why", Effect.LIVE, ())


def told(plan: Plan, *outcomes: StepOutcome, problems: tuple[Problem, ...] = ()) -> CommitStatus:
    now = Pass(desired(*problems), Snapshot(1, Host(), {}), plan, outcomes=last_of_each(outcomes))
    return outcome_status(now, "onggi/north")


def test_nothing_to_do_is_a_success_that_names_what_waits() -> None:
    waiting = Waiting(WEB, (Change("/machine", "pc", "q35", Effect.NEXT_BOOT),))
    found = told(Plan("r", waiting=(waiting,)))
    assert (found.state, found.description) == (State.SUCCESS, "0 objects as declared, 1 waits for a restart")


def test_what_is_still_to_be_done_is_pending() -> None:
    found = told(Plan("r", (step(WEB), step(DB, Action.DELETE))))
    assert (found.state, found.description) == (State.PENDING, "1 to delete, 1 live")


def test_what_was_done_in_this_pass_is_done() -> None:
    first = step(WEB)
    assert told(Plan("r", (first,)), StepOutcome(first, Result.CONFIGURED)).state is State.SUCCESS
    # What an earlier pass did says nothing of what is planned now.
    again = step(WEB)
    assert told(Plan("r", (again,)), StepOutcome(first, Result.CONFIGURED)).state is State.PENDING


def test_a_failure_counts_until_its_step_is_gone_from_the_plan() -> None:
    failed = StepOutcome(step(WEB), Result.FAILED, "the message may hold a host's paths")
    found = told(Plan("r", (step(WEB),)), failed)
    assert (found.state, found.description) == (State.FAILURE, "1 failed; onggi status tells more")
    assert told(Plan("r"), failed).state is State.SUCCESS


def test_what_is_blocked_or_broken_is_a_failure() -> None:
    blocked = Blocked(DB, "OwnedByOther", "it belongs to another")
    found = told(Plan("r", blocked=(blocked,)), problems=(Problem("a", 1, 1, "b"), Problem("a", 2, 1, "c")))
    assert (found.state, found.description) == (
        State.FAILURE,
        "1 blocked, 2 errors in documents; onggi status tells more",
    )
    assert proposal_status(Plan("r", blocked=(blocked,)), 0, "x").state is State.FAILURE
    assert proposal_status(Plan("r", (step(WEB, Action.DELETE),)), 0, "x").state is State.SUCCESS


@given(st.text())
def test_a_description_is_one_line_that_every_forge_takes(text: str) -> None:
    description = CommitStatus(State.SUCCESS, "onggi/north", text).description
    assert len(description) <= 140
    assert "\n" not in description
