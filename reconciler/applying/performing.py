"""Performs one step: its operations in order, with patience for what goes away by itself, up to the first failure.

Every end is a value; nothing raises. Which steps run, and when, is the executor's business.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from reconciler.errors import Cancelled, Disconnected, OnggiError, Transient
from reconciler.faults import boundary
from reconciler.planning.one_off import CloneVolume
from reconciler.planning.operations import CreateVolume, Operation
from reconciler.planning.plan import Action, Step
from reconciler.status.outcome import Result, StepOutcome
from specs.reference import Ref

log = logging.getLogger("onggi.apply")

STOPPING = "the agent is stopping; it is taken up at the next start"

# How long to wait before each further try of an operation. libvirt says "pool has asynchronous jobs running" for
# some milliseconds after each volume; whatever takes longer is for the back-off, which holds no worker.
_WAITS_S = (0.02, 0.05, 0.1, 0.25, 0.5)
_LONGEST_HINT_S = 1.0
_PATIENCE_S = 5.0  # no further try after this: a guest that didn't stop within its minute isn't asked six times

_SUCCESS = {
    Action.CREATE: Result.CREATED,
    Action.UPDATE: Result.CONFIGURED,
    Action.REPLACE: Result.CONFIGURED,
    Action.DELETE: Result.DELETED,
}


class Performer(Protocol):
    """What knows how to do things to a host.

    `perform` raises OnggiError. Unless that is Disconnected or Cancelled it has left nothing half-made behind.
    """

    def perform(
        self, operation: Operation, *, stop: threading.Event, progress: Callable[[int, int | None], None]
    ) -> None:
        """Do one thing, or find it done. Raises Cancelled soon after `stop`. `progress` takes bytes: done, in all."""

    def present(self, refs: Collection[Ref]) -> frozenset[Ref]:
        """Which of these volumes are on the host. Raises OnggiError."""

    def discard_unfinished(self, ref: Ref) -> bool:
        """Delete a volume that a killed run may have left half-made. False when there is none, or when something uses
        it. Raises OnggiError.
        """

    def settle(self) -> None:
        """Make the host see what volume operations left to be seen all at once, such as by refreshing a pool."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a step is: at `operation` (`done` of `total` bytes, where it counts them), or ended with `outcome`."""

    step: Step
    operation: Operation | None = None
    done: int = 0
    total: int | None = None
    outcome: StepOutcome | None = None


@dataclass(frozen=True, slots=True)
class Performed:
    """A step's end. `made` are volumes that are whole, `unknown` those that may be there half-made."""

    outcome: StepOutcome
    made: tuple[Ref, ...] = ()
    unknown: tuple[Ref, ...] = ()
    disconnected: str = ""  # the sentence, when the host can't be reached any more
    partly: bool = False  # an operation succeeded before one that didn't


def perform(step: Step, performer: Performer, *, stop: threading.Event, tell: Callable[[Progress], None]) -> Performed:
    """Do everything that `step` says. Never raises."""
    began = time.monotonic()
    made: list[Ref] = []
    unknown: tuple[Ref, ...] = ()
    result, message, retry_after_s, disconnected = _SUCCESS[step.action], "", None, ""
    failure: OnggiError | None = None
    if not step.operations:
        result = Result.UNCHANGED
    done = 0
    for operation in step.operations:
        creates = (operation.ref,) if isinstance(operation, CreateVolume | CloneVolume) else ()
        boundary("before an operation")
        try:
            _patiently(step, operation, performer, stop, tell)
        except Cancelled as error:
            result, message, unknown, failure = Result.SKIPPED, STOPPING, creates, error
        except OnggiError as error:
            result, message, failure = Result.FAILED, str(error), error
            retry_after_s = error.retry_after_s if isinstance(error, Transient) else None
            if isinstance(error, Disconnected):
                disconnected, unknown = message, creates
        except Exception as error:
            # Its text stays in the log: nobody has looked at what it may contain.
            log.exception("%s of %s ended unexpectedly", type(operation).__name__, step.ref)
            what = f"{type(operation).__name__} of {step.ref} ended with an unexpected {type(error).__name__}"
            result, message, unknown = Result.FAILED, f"{what}; the log has the details, please report it", creates
        else:
            made += creates
            done += 1
            boundary("after an operation")
            continue
        break
    outcome = StepOutcome(step, result, message, time.monotonic() - began, retry_after_s, failure)
    return Performed(outcome, tuple(made), unknown, disconnected, 0 < done < len(step.operations))


def _patiently(
    step: Step, operation: Operation, performer: Performer, stop: threading.Event, tell: Callable[[Progress], None]
) -> None:
    def progress(done: int, total: int | None) -> None:
        tell(Progress(step, operation, done, total))

    tell(Progress(step, operation))
    began = time.monotonic()
    for wait_s in (*_WAITS_S, None):
        if stop.is_set():
            raise Cancelled(STOPPING)
        try:
            performer.perform(operation, stop=stop, progress=progress)
        except Disconnected:
            raise
        except Transient as error:
            tired = wait_s is None or time.monotonic() - began > _PATIENCE_S
            if tired or error.retry_after_s > _LONGEST_HINT_S:
                raise
            stop.wait(wait_s)
        else:
            return
