"""Refuses the UUID that an object of another name has: only what its kind's rules rename can be renamed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.desired.state import Resource
from reconciler.planning.assessment import Assessment
from reconciler.planning.plan import Blocked

if TYPE_CHECKING:
    from reconciler.planning.context import Context


def taken(resource: Resource, context: Context) -> Assessment | None:
    """The refusal, where that is so."""
    present = context.by_uid.get(resource.uid) if resource.uid else None
    if present is None or present == resource.ref or present.kind != resource.ref.kind:
        return None
    message = (
        f"{resource.ref} has the uid of {present}, and libvirt can't rename a {present.kind}; take the uid out of the "
        "document to make a new one, or keep the name"
    )
    return Assessment(blocked=Blocked(resource.ref, "RenameRefused", message, resource.path, resource.line))
