"""A pool as a document: what its definition says, without what is a default anyway."""

from __future__ import annotations

from reconciler.exporting.draft import Draft, running
from reconciler.observed.snapshot import Observed
from specs.storagepool import KIND as POOLS


def pool(observed: Observed) -> Draft:
    """The draft of one pool. A password in libvirt is never read: its credentials stay as they are."""
    config = POOLS.lowered(observed.config)
    said = {"type": config.get("type"), "path": config.get("path")}
    draft = Draft(observed.ref, observed.uid, {key: value for key, value in said.items() if value})
    found = config.get("source") or {}
    source = {key: value for key, value in found.items() if value and key not in ("auth", "name")}
    if (adapter := found.get("adapter")) and adapter.get("type") == "scsi_host":
        source["adapter"] = {key: value for key, value in adapter.items() if key != "type"}
    if found.get("auth"):
        draft.left.append("the credentials of its source, which libvirt keeps")
    if source:
        draft.spec["source"] = source
    running(observed, draft.spec)
    return draft
