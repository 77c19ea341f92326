"""What is done once and isn't desired state (a snapshot, a reset, a volume's data): now, by the agent's executor.

Each object has one thing done to it at a time, between the agent's own steps. The list of events tells who asked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from reconciler.applying.performing import Progress
from reconciler.errors import OnggiError, Terminal, Transient
from reconciler.line.line import Line
from reconciler.loop.passes import Passes, World
from reconciler.loop.work_queue import WorkQueue
from reconciler.planning.plan import Step
from reconciler.serving.client import Client
from reconciler.status.outcome import Result, StepOutcome
from specs.reference import Ref

_TIMEOUT_S: Final = 60.0
_NEVER: Final = threading.Event()


@dataclass(frozen=True, slots=True)
class Operations:
    """One per agent. Any thread may perform."""

    line: Line
    queue: WorkQueue
    passes: Passes

    def perform(
        self,
        step: Step,
        client: Client,
        *,
        stop: threading.Event = _NEVER,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> World:
        """Do what the step says, and give a world that was observed after it. Blocks. Raises the step's OnggiError."""
        world = self.passes.latest
        revision = str(world.desired.revision) if world is not None else ""
        outcome = self.line.perform(step, revision=revision, origin=client.origin, stop=stop, on_progress=on_progress)
        seen = self.look_again(*_concerned(step))
        if outcome.result in (Result.FAILED, Result.SKIPPED):
            raise _error(outcome)
        return seen

    def look_again(self, *refs: Ref | None, timeout_s: float = _TIMEOUT_S) -> World:
        """Have these (None: everything) read anew, and give the world in which they are. Raises Transient."""
        sequence = 0
        for ref in refs:
            sequence = self.queue.changed(ref)
        world = self.passes.wait(lambda world: world.sequence >= sequence, timeout_s)
        if world is None:
            raise Transient("The host couldn't be looked at again; the agent's log tells why.", retry_after_s=5.0)
        return world


def _concerned(step: Step) -> tuple[Ref, ...]:
    refs = [step.ref]
    refs += [operation.ref for operation in step.operations if operation.ref.holders]
    return tuple(dict.fromkeys(refs))


def _error(outcome: StepOutcome) -> OnggiError:
    return outcome.error if outcome.error is not None else Terminal(outcome.message)
