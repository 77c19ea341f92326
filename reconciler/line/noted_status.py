"""What a run without an agent leaves for `onggi status` and `get`: how everything is after it, as agents say it."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.desired.state import DesiredState
from reconciler.ledger.ledger import Ledger
from reconciler.observed.snapshot import Snapshot
from reconciler.planning.plan import Plan
from reconciler.reporting.matters import LASTING, SOURCE, matters
from reconciler.status.drift import Drift
from reconciler.status.outcome import StepOutcome
from reconciler.status.status import DRIFTED, conditions
from specs.reference import Ref


def note_status(
    ledger: Ledger,
    connect: str,
    desired: DesiredState,
    snapshot: Snapshot,
    plan: Plan,
    outcomes: Iterable[StepOutcome],
    drifts: Iterable[Drift],
) -> None:
    """Write down the conditions of everything. Raises StateError."""
    found = conditions(
        desired,
        snapshot,
        plan,
        outcomes,
        ledger.suspended(),
        drifts=drifts,
        owned=ledger.owned(),
        why_suspended=ledger.suspensions.suspensions(),
    )
    told = matters(found, desired.problems)
    suspended = ledger.suspended()

    def unjudged(ref: Ref, reason: str) -> bool:
        """What became of the source is for an agent to tell, which follows it; of what is left alone nothing is."""
        return ref.kind == SOURCE or (ref in suspended and reason != DRIFTED)

    ledger.notices.tell(told, str(desired.revision), lasting=LASTING, unjudged=unjudged)
    states = {ref: seen.state for ref in found if (seen := snapshot.get(ref)) is not None}
    ledger.set_conditions(found, str(desired.revision), states)
    ledger.set_agent_info(connect=connect, connected=False, revision=str(desired.revision), source_problem="")
