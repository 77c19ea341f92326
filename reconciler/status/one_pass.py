"""One pass of the line as one immutable value: what was declared, what was there, what was planned, what came of it.

Made by the line when it compares both sides, and filled by whoever acts on the plan; what tells of a pass (conditions,
drift, notices, a forge's status, the API) takes it as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

from reconciler.desired.state import DesiredState
from reconciler.observed.snapshot import Snapshot
from reconciler.planning.ownership import Owned
from reconciler.planning.plan import Plan
from reconciler.status import suspension
from reconciler.status.outcome import Result, StepOutcome
from reconciler.status.retries import CrashLoop, Flapping, Retry
from reconciler.status.source_state import SourceState
from reconciler.status.suspension import Suspensions
from specs.reference import Ref


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """`desired` is the revision in force: the last good one while the newest can't be read (`source_problem`).

    `owned` is what is ours as the ledger knows it, `suspensions` what people told us to leave alone. `busy` are objects
    that something is done to, or was since the snapshot was taken: how they differ in it is nobody's doing by hand.

    What came of the plan is empty until somebody acts on it. `outcomes` are the last ones of each object, of this pass
    or of earlier ones; `retries` are those that wait to be tried again, `flapping` those that somebody else changes
    back as often as they are put right, `crash_loops` machines that ended too soon too often and rest before their next
    start, `unread_seeds` those whose guests never looked at their cloud-init data, with the sentence about it.

    `closed` says why nothing is applied now, and is empty when something is. `source` is set whenever something is
    wrong with the repository, also when it only can't be asked for news. `sequence` is the number of the
    last change that the pass has seen to; whoever told of one waits for it.
    """

    desired: DesiredState
    snapshot: Snapshot
    plan: Plan
    _: KW_ONLY
    owned: Mapping[Ref, Owned] = field(default_factory=dict)
    suspensions: Suspensions = field(default_factory=dict)
    busy: frozenset[Ref] = frozenset()
    outcomes: Mapping[Ref, StepOutcome] = field(default_factory=dict)
    retries: Mapping[Ref, Retry] = field(default_factory=dict)
    flapping: Mapping[Ref, Flapping] = field(default_factory=dict)
    crash_loops: Mapping[Ref, CrashLoop] = field(default_factory=dict)
    unread_seeds: Mapping[Ref, str] = field(default_factory=dict)
    closed: str = ""
    source_problem: str = ""
    source: SourceState | None = None
    sequence: int = 0

    @property
    def wish(self) -> DesiredState:
        """What was planned for: `desired`, with each disk as the volume that it is."""
        return self.plan.wish or self.desired

    @property
    def suspended(self) -> frozenset[Ref]:
        """What is left alone."""
        return suspension.suspended(self.suspensions)

    @property
    def failing(self) -> dict[Ref, StepOutcome]:
        """The outcomes of what failed and waits to be tried again."""
        found = {ref: self.outcomes[ref] for ref in self.retries if ref in self.outcomes}
        return {ref: outcome for ref, outcome in found.items() if outcome.result is Result.FAILED}
