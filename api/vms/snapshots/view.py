"""A machine's snapshots in Kimchi's words."""

from __future__ import annotations

from typing import Final

from api.http.schema import Schema, obj, text
from reconciler.observed.answers import SnapshotOf
from specs.plain import NewJson

_FIELDS: Final = {
    "created": text("When it was made, in seconds since 1970.", examples=["1700000000"]),
    "name": text("Its name, unique for the machine."),
    "parent": text("The snapshot that it was made after; empty for a first one."),
    "state": text("What the machine did then: running, paused, shutoff, ...", examples=["shutoff"]),
}
SNAPSHOT: Final[Schema] = obj(_FIELDS, required=tuple(_FIELDS), title="Snapshot of a virtual machine")
SNAPSHOT_OR_NONE: Final[Schema] = {"anyOf": [SNAPSHOT, obj({})]}


def snapshot_view(snapshot: SnapshotOf) -> NewJson:
    """One snapshot."""
    return {
        "created": str(snapshot.created),
        "name": snapshot.name,
        "parent": snapshot.parent,
        "state": snapshot.state,
    }
