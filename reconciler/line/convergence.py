"""What came of bringing a host to where one revision wants it, as a value."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.planning.plan import Plan
from reconciler.status.one_pass import Pass
from reconciler.status.outcome import StepOutcome
from specs.problem import Problem


@dataclass(frozen=True, slots=True)
class Convergence:
    """What `converge` did: the first plan, every outcome, and the last pass."""

    planned: Plan
    outcomes: tuple[StepOutcome, ...]
    last: Pass

    @property
    def remaining(self) -> Plan:
        """What is left to do: empty when all is well."""
        return self.last.plan

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What of the documents couldn't be understood."""
        return self.last.desired.problems

    @property
    def succeeded(self) -> bool:
        """True when the host is as the revision says and every document could be understood."""
        return not (self.remaining.steps or self.remaining.blocked or self.problems)
