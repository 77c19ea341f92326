"""What a run without an agent leaves for `onggi status` and `get`: how everything is after it, as agents say it."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.ledger.ledger import Ledger
from reconciler.reporting.matters import LASTING, SOURCE, matters
from reconciler.status.drift import Drift
from reconciler.status.one_pass import Pass
from reconciler.status.status import DRIFTED, conditions
from specs.reference import Ref


def note_status(ledger: Ledger, connect: str, now: Pass, drifts: Iterable[Drift]) -> None:
    """Write down the conditions of everything. Raises StateError."""
    found, revision, suspended = conditions(now, drifts), str(now.desired.revision), now.suspended

    def unjudged(ref: Ref, reason: str) -> bool:
        """What became of the source is for an agent to tell, which follows it; of what is left alone nothing is."""
        return ref.kind == SOURCE or (ref in suspended and reason != DRIFTED)

    ledger.notices.tell(matters(found, now.desired.problems), revision, lasting=LASTING, unjudged=unjudged)
    states = {ref: seen.state for ref in found if (seen := now.snapshot.get(ref)) is not None}
    ledger.status.note(found, revision, states)
    ledger.heartbeat.tell(connect=connect, connected=False, revision=revision, source_problem="")
