"""How a step ended, as a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.errors import OnggiError
    from reconciler.planning.plan import Step
    from specs.reference import Ref


class Result(StrEnum):
    """The words that status, history and metrics share."""

    CREATED = "created"
    CONFIGURED = "configured"
    UNCHANGED = "unchanged"
    DELETED = "deleted"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """One step's end. `message` is one sentence: why it failed or was skipped; empty for success."""

    step: Step
    result: Result
    message: str = ""
    duration_s: float = 0.0
    retry_after_s: float | None = None  # a hint of the error; the back-off decides
    error: OnggiError | None = field(default=None, compare=False)  # what a step failed with, for who asked for it

    @property
    def ok(self) -> bool:
        """True when the step came to its end with success."""
        return self.result not in (Result.FAILED, Result.SKIPPED)

    @property
    def terminal(self) -> bool:
        """True for a failure that won't go away by itself: trying again at once would only fail again."""
        return self.result is Result.FAILED and self.retry_after_s is None


def last_of_each(outcomes: Iterable[StepOutcome]) -> Mapping[Ref, StepOutcome]:
    """The last one of each object."""
    return {outcome.step.ref: outcome for outcome in outcomes}


def in_the_end(outcomes: Iterable[StepOutcome]) -> tuple[StepOutcome, ...]:
    """What came of each object by several tries: every success, and of what failed or was skipped the last one only.

    A failure that a later try has made good is none.
    """
    last: dict[Ref, StepOutcome] = {}
    done: dict[tuple[Ref, Result], StepOutcome] = {}
    for outcome in outcomes:
        ref = outcome.step.ref
        if outcome.ok:
            done[ref, outcome.result] = outcome
            last.pop(ref, None)
        else:
            last[ref] = outcome
    return (*done.values(), *last.values())


def failed_for_good(outcomes: Iterable[StepOutcome]) -> frozenset[Ref]:
    """The objects whose step won't succeed until somebody changes something."""
    return frozenset(outcome.step.ref for outcome in outcomes if outcome.terminal)
