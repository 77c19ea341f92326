"""How a step ended, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.errors import OnggiError
from reconciler.planning.plan import Step


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
