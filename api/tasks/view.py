"""A long task in Kimchi's words."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from api.http.schema import Schema, obj, text
from reconciler.ledger.task_records import FAILED, FINISHED, RUNNING, TaskRecord
from reconciler.serving.sight import Sight
from specs.plain import NewJson
from specs.reference import VIRTUAL_MACHINE, Ref

_FIELDS: Final = {
    "id": text("Identifies the task in this API.", examples=["7"]),
    "status": text("running, finished or failed.", enum=[RUNNING, FINISHED, FAILED]),
    "message": text("How far it is, or what came of it, for people.", examples=["OK"]),
    "target_uri": text("The address of what it works on, percent-encoded.", examples=["/vms/web"]),
}
TASK: Final[Schema] = obj(_FIELDS, required=tuple(_FIELDS), title="Task")


def may_see(task: TaskRecord, sight: Sight) -> bool:
    """Whether somebody may still know of what a task of theirs works on."""
    _, kind, name, *_ = f"{task.target}//".split("/")
    return kind != "vms" or sight.sees(Ref(VIRTUAL_MACHINE, name))


def task_view(record: TaskRecord, sight: Sight | None = None) -> NewJson:
    """One task, as it may be read by whoever asks for it later than it was begun."""
    return {
        "id": str(record.id),
        "status": record.status,
        "message": record.message if sight is None else sight.told(record.message),
        "target_uri": quote(record.target),  # so that it can be followed as it stands, as a Location can
    }
