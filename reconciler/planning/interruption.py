"""Whether a running network or pool may be stopped, for good or to start it anew, while running machines use it.

A network's guests can be plugged in again, so a person may approve the interruption. A disk that was pulled out from
below a guest can't be given back, so a pool waits until nobody uses it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.approval import NEEDS_APPROVAL, approval_digest
from reconciler.planning.context import Context
from reconciler.planning.plan import Blocked
from reconciler.planning.rules import rules_of
from specs.effect import Change
from specs.reference import Ref

_NAMED = 5


def held_back(resource: Resource, observed: Observed, pending: Sequence[Change], context: Context) -> Blocked | None:
    """Why it isn't stopped now for `pending`, None when it may be. A network's says what `onggi approve` takes."""
    ref, guests = resource.ref, context.running_users(resource.ref)
    if not guests:
        return None
    if not rules_of(ref.kind).cuts_off:
        message = f"{ref} can't be stopped: {names(guests)} would lose it; stop them or detach it first"
        return Blocked(ref, "InUse", message, resource.path, resource.line)
    digest = _digest(
        pending, str(context.desired.revision), observed, [context.snapshot.objects[each] for each in guests]
    )
    if digest in context.options.approved:
        return None
    if stops(pending):
        what = f"stopping {ref} cuts off {names(guests)}"
    else:
        what = f"restarting {ref} cuts off {names(guests)} until they are reconnected to it right after"
    message = f"{what}; it is done as soon as none of them runs, or now with: onggi approve {digest}"
    return Blocked(ref, NEEDS_APPROVAL, message, resource.path, resource.line, digest)


def stops(pending: Iterable[Change]) -> bool:
    """True when it is to be stopped and to stay so."""
    return any(change.pointer == "/active" for change in pending)


def names(guests: Sequence[Ref]) -> str:
    """The guests in a sentence; the first few of many."""
    more = f" and {len(guests) - _NAMED} more" if len(guests) > _NAMED else ""
    return ", ".join(map(str, guests[:_NAMED])) + more


def _digest(pending: Sequence[Change], revision: str, network: Observed, guests: Iterable[Observed]) -> str:
    """Names what would be done and to whom. The texts of the definitions don't count: the same pass changes the
    network's, and what else a guest is changed to doesn't matter to its being cut off.
    """
    changes = sorted((change.pointer, repr(change.old), repr(change.new)) for change in pending)
    subject = json.dumps(["stop" if stops(pending) else "restart", changes])
    return approval_digest(subject, revision, [replace(each, xml="") for each in (network, *guests)])
