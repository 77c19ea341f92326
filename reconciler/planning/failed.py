"""What the plan says of an object about which nothing could be decided, because deciding failed."""

from __future__ import annotations

from reconciler.bulkhead import INTERNAL_ERROR, Failure
from reconciler.desired.state import Resource
from reconciler.planning.plan import Blocked
from specs.reference import Ref


def failed(ref: Ref, failure: Failure, path: str = "", line: int = 0) -> Blocked:
    """It stays as it is, and whatever needs it waits as for anything else that is blocked."""
    return Blocked(ref, INTERNAL_ERROR, failure.message, path, line)


def unreadable(resource: Resource) -> Blocked:
    """It is on the host, and its definition can't be read: made anew, it would lose whatever that says."""
    message = f"{resource.ref} is on the host and can't be read; the agent's log and onggi status tell why"
    return Blocked(resource.ref, "Unreadable", message, resource.path, resource.line)
