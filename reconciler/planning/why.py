"""The sentence beside each step: why it is there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.desired.state import Resource
from reconciler.planning.ownership import Fact, Owned
from specs.virtualmachine import KIND as MACHINES

if TYPE_CHECKING:
    from reconciler.planning.context import Context

_GONE = "its document is gone and says deletionPolicy: Delete"


def why_changed(
    resource: Resource, entry: Owned | None, *, adopted: bool = False, taken_from: str = "", moved: bool = False
) -> str:
    """Tells an edit of the document from a change that was made by hand on the host.

    `taken_from` is the repository to which the object belonged until now; what was `moved` was another branch's or
    folder's.
    """
    if moved:
        return "moved to this branch and path, as it was approved"
    if taken_from:
        return f"taken over from the repository {taken_from}, as its annotation onggi/adopt says"
    if adopted:
        return "taken over, as its annotation onggi/adopt says"
    if entry is None or Fact.DIGEST not in entry.facts:
        return "differs from its document"
    if is_drift(resource, entry):
        return "changed on the host since it was last applied"
    return "its document changed"


def is_drift(resource: Resource, entry: Owned | None) -> bool:
    """True when the document is as it was last applied, so that whatever differs was changed on the host."""
    return entry is not None and entry.facts.get(Fact.DIGEST) == resource.digest


def why_volume_leaves(entry: Owned, context: Context) -> str:
    """Whose doing it is that nothing declares a volume any more: its own document's, or its machine's."""
    machine = entry.parent
    if machine is None:
        return "nothing uses this cloud-init data any more" if entry.seed else _GONE
    resource = context.desired.resources.get(machine)
    if entry.seed:
        if resource is None:
            return f"the cloud-init data of {machine}, whose document is gone"
        if not MACHINES.declared(resource.spec).get("cloudInit"):
            return f"{machine} declares no cloud-init data any more"
        return f"the former cloud-init data of {machine}, which has new ones"
    if resource is None:
        return f"a disk of {machine}, whose document is gone and says deletionPolicy: Delete"
    return f"{machine} doesn't declare this disk any more, and says deletionPolicy: Delete"


def not_applied(record: Owned, entry: Owned | None) -> Owned:
    """What the ledger holds of a document that can't be applied: whose it is, and which content was applied before.

    Otherwise the next pass would take a refused edit for a change that was made on the host.
    """
    applied = entry.facts.get(Fact.DIGEST, "") if entry is not None else ""
    return replace(record, facts={**record.facts, Fact.DIGEST.value: applied})
