"""Small planning inputs: a desired state and a snapshot without any XML."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.desired.state import DesiredState, Resource
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.context import Context
from reconciler.planning.gathered import Gathered
from reconciler.planning.operations import Operation
from reconciler.planning.plan import Action, Step
from reconciler.source.tree import Revision
from specs.effect import Effect
from specs.host import Host
from specs.reference import Ref

REVISION = Revision("main", "sha1", "0" * 40)
REPOSITORY = "11111111-2222-3333-4444-555555555555"


def vm(name: str) -> Ref:
    return Ref("VirtualMachine", name)


def network(name: str) -> Ref:
    return Ref("Network", name)


def resource(ref: Ref, *needs: Ref) -> Resource:
    return Resource(ref, "", {}, f"{ref.name}.yaml", 1, depends_on=needs)


def context(resources: Iterable[Resource] = (), on_host: Iterable[Ref] = (), held: Iterable[Ref] = ()) -> Context:
    desired = DesiredState(REVISION, REPOSITORY, {one.ref: one for one in resources}, held=frozenset(held))
    return Gathered(desired, Snapshot(1, Host(), {ref: Observed(ref, "", "") for ref in on_host}), {})


def step(ref: Ref, *operations: Operation, after: Iterable[Ref] = (), action: Action = Action.CREATE) -> Step:
    return Step(ref, action, "because", Effect.LIVE, operations, after=frozenset(after))
