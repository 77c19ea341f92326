"""What somebody changed on a suspended object: told as for any other, and not put back until it is resumed."""

from __future__ import annotations

from reconciler.desired.state import Resource
from reconciler.planning.assessment import Assessment
from reconciler.planning.ownership import Owned
from reconciler.planning.plan import Action
from reconciler.planning.storagevolume.loss import DATA_LOST
from reconciler.planning.vanished import MISSING
from reconciler.planning.why import is_drift
from specs.effect import Change


def changed_meanwhile(assessment: Assessment, resource: Resource, entry: Owned | None) -> tuple[Change, ...]:
    """How the object differs from its document as that was applied; what a new revision asks for is none of it."""
    step = assessment.step
    if assessment.blocked is not None and assessment.blocked.reason == DATA_LOST:
        return MISSING
    if not is_drift(resource, entry):
        return ()
    if step is None:
        return assessment.drifted
    if step.action is Action.CREATE:
        return MISSING
    return step.changes if step.drift else ()
