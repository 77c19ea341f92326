"""What came of several tries is counted once, and what failed for good isn't tried again in the same call."""

from __future__ import annotations

from reconciler.planning.operations import Define
from reconciler.planning.plan import Action, Step
from reconciler.status.outcome import Result, StepOutcome, failed_for_good, in_the_end
from specs.effect import Effect
from specs.reference import Ref

WEB, LAN = Ref("VirtualMachine", "web"), Ref("Network", "lan")


def outcome(ref: Ref, result: Result, message: str = "", retry_after_s: float | None = None) -> StepOutcome:
    step = Step(ref, Action.CREATE, "declared, and not on the host", Effect.LIVE, (Define(ref, "u", "<x/>"),))
    return StepOutcome(step, result, message, retry_after_s=retry_after_s)


def test_what_failed_in_each_try_is_counted_once_with_what_was_said_last() -> None:
    first, last = outcome(WEB, Result.FAILED, "the sum is wrong"), outcome(WEB, Result.FAILED, "still wrong")
    assert in_the_end((first, last)) == (last,)


def test_a_failure_that_a_later_try_makes_good_is_none() -> None:
    made = outcome(WEB, Result.CREATED)
    assert in_the_end((outcome(WEB, Result.SKIPPED), outcome(WEB, Result.FAILED, "busy"), made)) == (made,)


def test_the_same_success_of_one_object_is_counted_once() -> None:
    assert len(in_the_end((outcome(WEB, Result.CREATED), outcome(WEB, Result.CREATED)))) == 1


def test_only_what_no_waiting_mends_is_given_up() -> None:
    wrong, busy = outcome(WEB, Result.FAILED, "the sum is wrong"), outcome(LAN, Result.FAILED, "busy", 1.0)
    assert failed_for_good((wrong, busy)) == {WEB}
