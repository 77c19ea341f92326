"""Which steps of one plan may begin, and which won't any more. Pure bookkeeping: every step ends exactly once."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.planning.plan import Step
from reconciler.status.outcome import Result, StepOutcome
from specs.reference import Ref

_UNSUCCESSFUL = (Result.FAILED, Result.SKIPPED)


class Graph:
    """A plan's steps by what they come after. A name in `after` that has no step here is no reason to wait."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self.steps = {step.ref: step for step in steps}
        self.outcomes: dict[Ref, StepOutcome] = {}
        self._missing: dict[Ref, int] = {}  # for each step: how many others must still succeed
        self._followers: dict[Ref, list[Step]] = {}
        self._open = 0  # steps that may run and haven't ended
        for step in self.steps.values():
            earlier = step.after & self.steps.keys() if step.after else frozenset()
            self._missing[step.ref] = len(earlier)
            for ref in earlier:
                self._followers.setdefault(ref, []).append(step)

    def begin(self) -> tuple[list[Step], list[StepOutcome]]:
        """The steps that wait for nothing, and the ends of those that never can run (see `ended`)."""
        ready = [step for step in self.steps.values() if not self._missing[step.ref]]
        self._open = len(ready)
        return ready, self._circular()

    def ended(self, outcome: StepOutcome) -> tuple[list[Step], list[StepOutcome]]:
        """Take the end of a running step: the steps that may run now, and the ends of those that won't any more."""
        self._end(outcome)
        self._open -= 1
        ready: list[Step] = []
        skipped: list[StepOutcome] = []
        if outcome.result in _UNSUCCESSFUL:
            skipped = self._skip_followers(outcome)
        else:
            for follower in self._followers.get(outcome.step.ref, ()):
                self._missing[follower.ref] -= 1
                if not self._missing[follower.ref] and follower.ref not in self.outcomes:
                    ready.append(follower)
            self._open += len(ready)
        return ready, skipped + self._circular()

    @property
    def finished(self) -> bool:
        """True when every step has ended."""
        return len(self.outcomes) == len(self.steps)

    def has_followers(self, ref: Ref) -> bool:
        """True when another step comes after this one."""
        return ref in self._followers

    def _end(self, outcome: StepOutcome) -> None:
        self.outcomes[outcome.step.ref] = outcome

    def _skip_followers(self, cause: StepOutcome) -> list[StepOutcome]:
        """Everything that comes after an unsuccessful step, directly or not, ends with a sentence about that one."""
        ref = cause.step.ref
        message = f"left out because {ref} failed; it follows once that is done"
        if cause.result is Result.SKIPPED:
            message = cause.message  # nothing begins any more, for a reason that holds for all
        skipped: list[StepOutcome] = []
        pending = list(self._followers.get(ref, ()))
        while pending:
            step = pending.pop()
            if step.ref not in self.outcomes:
                skipped.append(StepOutcome(step, Result.SKIPPED, message))
                self._end(skipped[-1])
                pending.extend(self._followers.get(step.ref, ()))
        return skipped

    def _circular(self) -> list[StepOutcome]:
        """Once nothing runs, whatever is left waits for itself."""
        if self._open or self.finished:
            return []
        left = [step for step in self.steps.values() if step.ref not in self.outcomes]
        names = ", ".join(sorted(str(step.ref) for step in left)[:4])
        message = f"left out because it waits for itself by way of others ({names}); take one of the references out"
        skipped = [StepOutcome(step, Result.SKIPPED, message) for step in left]
        for outcome in skipped:
            self._end(outcome)
        return skipped
