"""A long task in Kimchi's words."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from api.http.schema import Schema, obj, text
from reconciler.ledger.task_records import FAILED, FINISHED, RUNNING, TaskRecord
from specs.plain import NewJson

_FIELDS: Final = {
    "id": text("Identifies the task in this API.", examples=["7"]),
    "status": text("running, finished or failed.", enum=[RUNNING, FINISHED, FAILED]),
    "message": text("How far it is, or what came of it, for people.", examples=["OK"]),
    "target_uri": text("The address of what it works on, percent-encoded.", examples=["/vms/web"]),
}
TASK: Final[Schema] = obj(_FIELDS, required=tuple(_FIELDS), title="Task")


def task_view(record: TaskRecord) -> NewJson:
    """One task."""
    return {
        "id": str(record.id),
        "status": record.status,
        "message": record.message,
        "target_uri": quote(record.target),  # so that it can be followed as it stands, as a Location can
    }
