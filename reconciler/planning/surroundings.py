"""What all assessments of a pass depend on beside their own resources. While it is the same as in the pass before, only
the resources that a commit has changed have to be asked again, however many there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.observed.snapshot import Snapshot
from reconciler.planning.context import Context
from reconciler.planning.ownership import Owned
from specs.host import Host
from specs.reference import Ref
from specs.scope import Scope


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """All of one pass. What is large is compared by being the very same, for it is immutable."""

    snapshot: Snapshot
    owned: Mapping[Ref, Owned]
    host: Host
    suspended: frozenset[Ref]
    scope: Scope
    loses: bool  # then each machine's losses are to be found out

    @classmethod
    def of(cls, context: Context) -> Surroundings:
        """Those of a pass."""
        return cls(
            snapshot=context.snapshot,
            owned=context.owned,
            host=context.host,
            suspended=context.suspended,
            scope=context.desired.scope,
            loses=bool(context.losses),
        )

    def same_as(self, before: Surroundings | None) -> bool:
        """True when nothing that was found out about an unchanged resource can have become another."""
        return (
            before is not None
            and self.snapshot is before.snapshot
            and self.owned is before.owned
            and self.host is before.host
            and self.suspended == before.suspended
            and self.scope == before.scope
            and not (self.loses or before.loses)
        )
