"""A pass in which nothing has moved since the one before: it has the same plan, and costs next to nothing.

It is the pass of nearly every host at nearly every moment, so what it costs must not grow with what there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reconciler.desired.state import DesiredState
from reconciler.observed.snapshot import Snapshot
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Plan
from reconciler.planning.plan_options import PlanOptions
from specs.reference import Ref


@dataclass(frozen=True, slots=True)
class Unchanged:
    """What a plan was made of, and the plan. All of it is immutable: the very same values give the same plan."""

    desired: DesiredState
    snapshot: Snapshot
    owned: Mapping[Ref, Owned]
    suspended: frozenset[Ref]
    options: PlanOptions
    plan: Plan

    def holds(
        self,
        desired: DesiredState,
        snapshot: Snapshot,
        owned: Mapping[Ref, Owned],
        suspended: frozenset[Ref],
        options: PlanOptions,
    ) -> bool:
        """True when these are what the plan was made of, whatever the time is now."""
        return (
            self.desired is desired
            and self.snapshot is snapshot
            and self.owned is owned
            and self.suspended == suspended
            and self.options == replace(options, now=self.options.now)
        )

    def lasts(self) -> bool:
        """True when time alone changes nothing in the plan: nothing is begun, waited for or kept for a while."""
        plan = self.plan
        moves = plan.steps or plan.waiting or plan.staged or plan.records or plan.forgotten
        return not moves and not any(Fact.TRASHED in entry.facts for entry in self.owned.values())
