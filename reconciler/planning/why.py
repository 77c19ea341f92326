"""The sentence beside each step: why it is there."""

from __future__ import annotations

from reconciler.desired.state import Resource
from reconciler.planning.ownership import Fact, Owned


def why_changed(resource: Resource, entry: Owned | None, *, adopted: bool = False) -> str:
    """Tells an edit of the document from a change that was made by hand on the host."""
    if adopted:
        return "taken over, as its annotation onggi/adopt says"
    if entry is None:
        return "differs from its document"
    if is_drift(resource, entry):
        return "changed on the host since it was last applied"
    return "its document changed"


def is_drift(resource: Resource, entry: Owned | None) -> bool:
    """True when the document is as it was last applied, so that whatever differs was changed on the host."""
    return entry is not None and entry.facts.get(Fact.DIGEST) == resource.digest
