"""What vanished from the host although its document is as it was applied, and isn't made again: `driftPolicy` says so.

Under `enforce` it is made again like anything else that is declared; that is for the kinds' own modules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reconciler.planning.plan import Action, Step
from reconciler.planning.why import is_drift
from specs.effect import Change, Effect
from specs.reference import Ref

if TYPE_CHECKING:
    from reconciler.planning.context import Context  # brings lxml along, and `status` only wants to know a word

WHOLE = "/"  # the field of an object as a whole
MISSING = (Change(WHOLE, None, "present", Effect.LIVE),)


def left_missing(steps: Mapping[Ref, Step], context: Context) -> frozenset[Ref]:
    """Of the objects that would be made: those that stay away. What another step needs is made all the same."""
    left: set[Ref] = set()
    for ref, step in steps.items():
        resource = context.desired.resources.get(ref)
        if resource is None or step.action is not Action.CREATE or resource.policy.drift == "enforce":
            continue
        if is_drift(resource, context.owned.get(ref)):
            left.add(ref)
    pending = [ref for ref, step in steps.items() if left and ref not in left and step.action is not Action.DELETE]
    while pending:
        resource = context.desired.resources.get(pending.pop())
        for need in resource.depends_on if resource is not None else ():
            if need in left:
                left.discard(need)
                pending.append(need)
    return frozenset(left)
