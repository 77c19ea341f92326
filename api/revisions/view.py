"""The revisions that something was done for, out of the list of events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from api.documents.report import REVISION_TEXT
from api.http.schema import Schema, boolean, integer, obj, text
from reconciler.ledger.notice_store import OVER
from reconciler.ledger.records import Event
from specs.plain import NewJson

REVISION: Final[Schema] = obj(
    {
        "revision": REVISION_TEXT,
        "inForce": boolean("Whether the host is kept as it says now."),
        "firstApplied": text("When something was done for it first; empty when nothing had to be, or nobody knows."),
        "lastApplied": text("And when last."),
        "steps": integer("Steps that succeeded.", minimum=0),
        "failed": integer("Steps that failed, repeated ones as often.", minimum=0),
    },
    required=("revision", "inForce", "firstApplied", "lastApplied", "steps", "failed"),
    title="Revision",
)


def revisions_view(events: Iterable[Event], in_force: str) -> list[NewJson]:
    """The revisions that something was done for, as far back as events are kept, the newest first; the one in force
    also when nothing had to be done for it.
    """
    found: dict[str, NewJson] = {}
    for event in events:
        if not event.revision:
            continue
        entry = found.setdefault(event.revision, _revision(event.revision, event.time))
        failed = event.result == "failed"
        entry["failed"] += event.count if failed else 0
        entry["steps"] += not (failed or event.result in ("skipped", OVER) or event.type == "Warning")
        entry["lastApplied"] = max(entry["lastApplied"], event.time)
    current = found.pop(in_force, None) or _revision(in_force, "")
    return [current | {"inForce": True}, *reversed(found.values())]


def _revision(revision: str, time: str) -> NewJson:
    return {
        "revision": revision, "inForce": False, "firstApplied": time, "lastApplied": time, "steps": 0, "failed": 0,
    }  # fmt: skip
