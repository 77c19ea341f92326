"""Clears up what an earlier run, or a failed step of this one, left half-done: volumes without their bytes, whole ones
that nobody came to declare, and steps of which the history doesn't say yet how they ended.

The ledger says what was begun, and the host what came of it. Nothing goes here that anything uses, and what can't be
decided now is left for a later call, so that each of these may be called as often as one likes and be killed at any
point.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final

from reconciler.errors import Disconnected, OnggiError, StateError
from reconciler.faults import boundary
from reconciler.ledger.history_store import OURS
from reconciler.ledger.intents import CameOf
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.records import Origin
from reconciler.planning.operations import DeleteVolume
from reconciler.planning.plan import Action, Plan, one_off_step
from reconciler.status.outcome import Result, StepOutcome
from specs.reference import Ref

if TYPE_CHECKING:
    from reconciler.applying.performing import Performer
    from reconciler.ledger.records import InDoubt
    from reconciler.observed.snapshot import Snapshot

log = logging.getLogger("onggi.apply")

_UNCOMMITTED: Final = "the task that it was made for was cut off before its commit"
_LEAVES_SOMETHING: Final = frozenset({Result.FAILED})


class Recovery:
    """Of one host. Any thread may `record`; the rest is for whoever looks at the host."""

    def __init__(self, host: Performer, ledger: Ledger) -> None:
        self._host = host
        self._ledger = ledger
        self._due = threading.Event()  # steps may have been cut off since the last recovery
        self._unaccounted: dict[Ref, InDoubt] = {}  # those that were, before it was

    @property
    def due(self) -> bool:
        """True when something may be half-done that no recovery has looked at yet."""
        return self._due.is_set()

    def record(
        self,
        outcomes: Collection[StepOutcome],
        revision: str,
        origin: Origin = OURS,
        *,
        leaving: frozenset[Result] = _LEAVES_SOMETHING,
    ) -> None:
        """Put outcomes into the history; a recovery is due after any of `leaving`. Raises StateError, and then too."""
        try:
            self._ledger.history.record(outcomes, revision, origin)
        except StateError:
            self._due.set()
            raise
        if any(outcome.result in leaving for outcome in outcomes):
            self._due.set()

    def look(self, look: Callable[[], Snapshot]) -> Snapshot:
        """A look at the host in which nothing is half-made that could be removed before it. Raises what `look` does."""
        while True:
            recovered = not self._due.is_set() or self.recover()
            snapshot = look()
            if not self._due.is_set():  # a step that was cut off beside the reading may have left a half-made volume
                break
        if not recovered:
            self._due.set()
        return snapshot

    def recover(self) -> bool:
        """Remove volumes that a run which was cut off left half-made; they hold nothing yet and nobody uses them.

        False when one couldn't be removed now; it is noted still, and everything else can go on. Raises Disconnected.
        """
        done = True
        self._due.clear()
        self._unaccounted |= {item.step.ref: item for item in self._ledger.history.in_doubt()}
        for ref in self._ledger.intents.unfinished():
            try:
                came_of = self._discard(ref)
            except Disconnected:
                self._due.set()
                raise
            except OnggiError as error:
                log.error("%s", error)  # noqa: TRY400  # a sentence; the trace says no more
                done = False
                continue
            if came_of is CameOf.REMOVED:
                log.warning("%s was left half-made by a run that was cut off; removed", ref)
            boundary("before a recovery is noted")
            self._ledger.intents.end(ref, came_of)
        return done

    def remove_uncommitted(
        self, revision: str, asks_for: Callable[[Ref], bool | None], on_removed: Callable[[Ref], object]
    ) -> frozenset[Ref]:
        """Remove volumes that a task of an earlier run has made whole and then hasn't committed documents for.

        `asks_for` says whether the documents at `revision` want one, None while that can't be told. Only what they
        certainly don't want goes, and nothing that anything uses. Gives what was removed, and calls back with each as
        soon as it is. Raises Disconnected.
        """
        removed = set()
        for ref in self._ledger.intents.uncommitted():
            wanted = asks_for(ref)
            if wanted:
                self._ledger.intents.end(ref, CameOf.DECLARED)
            elif wanted is not None and self._remove(ref, revision):
                on_removed(ref)
                removed.add(ref)
        return frozenset(removed)

    def _remove(self, ref: Ref, revision: str) -> bool:
        step = one_off_step(ref, _UNCOMMITTED, DeleteVolume(ref), action=Action.DELETE)
        self._ledger.change(steps=[step], note=revision)
        came_of = CameOf.UNDECIDED
        try:
            came_of = self._discard(ref)
            boundary("before a recovery is noted")
            self._ledger.intents.end(ref, came_of)
        except Disconnected:
            self._ledger.history.lose([ref])  # whether it is gone shows once the host is back
            raise
        except OnggiError as error:
            log.warning("%s", error)
        finally:
            result = Result.DELETED if came_of is CameOf.REMOVED else Result.UNCHANGED
            self._ledger.history.record([StepOutcome(step, result)], revision)
        if came_of is not CameOf.REMOVED:
            return False
        log.warning("%s was removed: %s", ref, _UNCOMMITTED)
        self._ledger.change(disown=[ref])
        self._unaccounted.pop(ref, None)  # an earlier start may have been cut off in this
        return True

    def account(self, plan: Plan, snapshot: Snapshot) -> None:
        """Put into the history what a run that was cut off has done, as the host shows it in `snapshot`.

        `plan` is made from that. What is half-made yet waits for its removal.
        """
        if not self._unaccounted:
            return
        from reconciler.applying import in_doubt

        half_made = frozenset(self._ledger.intents.unfinished())
        known = [item for ref, item in self._unaccounted.items() if ref not in half_made]
        for revision, outcomes in in_doubt.outcomes(known, plan, snapshot).items():
            self._ledger.history.record(outcomes, revision)
        self._unaccounted = {ref: item for ref, item in self._unaccounted.items() if ref in half_made}

    def _discard(self, ref: Ref) -> CameOf:
        """Remove a volume that nothing uses. Raises OnggiError."""
        if self._host.discard_unfinished(ref):
            return CameOf.REMOVED
        return CameOf.USED if self._host.present([ref]) else CameOf.GONE
