"""The pass of a table's row: one document, the object of its name on the host, and what the ledger remembers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.desired.state import DesiredState, Policy, Resource
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.last_seen import LastSeen
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Plan
from reconciler.planning.plan_options import PlanOptions
from reconciler.planning.planner import Planner
from specs.host import Host
from specs.reference import Ref
from tests.planning.values import REPOSITORY, REVISION

APPLIED = "d1"  # the digest of each row's document


@dataclass(frozen=True)
class Case:
    """`says` is the rule, `plan` all that is to come of it (see `plan_in_words`). Nothing is remembered by default."""

    says: str
    spec: Mapping[str, Any]
    there: Observed | None
    plan: Sequence[str]
    entry: Owned | None = None
    policy: Policy = Policy()  # noqa: RUF009  (it can't be changed)
    guests: Sequence[Observed] = ()
    host: Host = Host()  # noqa: RUF009
    last_seen: LastSeen | None = None
    others: Sequence[Resource] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    suspended: Sequence[Ref] = ()
    resource: Mapping[str, Any] = field(default_factory=dict)  # more of the document


def plan_of(case: Case, ref: Ref, uid: str) -> Plan:
    document = Resource(ref, uid, case.spec, "it.yaml", 1, policy=case.policy, digest=APPLIED)
    resource = replace(document, **case.resource)
    seen = (*([case.there] if case.there is not None else []), *case.guests)
    desired = DesiredState(REVISION, REPOSITORY, {each.ref: each for each in (*case.others, resource)})
    return Planner().plan(
        desired,
        Snapshot(1, case.host, {each.ref: each for each in seen}),
        {case.entry.ref: case.entry} if case.entry is not None else {},
        frozenset(case.suspended),
        PlanOptions(**case.options),
        {ref: case.last_seen}.get if case.last_seen is not None else lambda _ref: None,
    )


def owned(ref: Ref, uid: str, *, digest: str = "d0", **more: Any) -> Owned:
    """An entry of the ledger: with the digest of the row's document, or of an earlier one."""
    facts = {Fact.DIGEST.value: digest, **more.pop("facts", {})}
    return Owned(ref, uid, "it.yaml", facts=facts, **more)
