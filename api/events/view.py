"""An event, as `onggi events -o json` shows it."""

from __future__ import annotations

from typing import Final

from api.documents.report import ITEM, TIME
from api.http.schema import Schema, integer, obj, text

EVENT: Final[Schema] = obj(
    {
        "time": TIME,
        **ITEM,
        "type": text("Normal, or Warning.", enum=["Normal", "Warning"]),
        "result": text("created, configured, deleted, skipped, failed, …"),
        "message": text("Why it was done, or wasn't."),
        "revision": text("The revision that asked for it; empty for what was asked for once."),
        "who": text("reconcile, or who asked: api:<user>."),
        "count": integer("How often in a row.", minimum=1),
        "peer": text(
            "From where it was asked for, an address or a user of the agent's machine; empty where nobody did."
        ),
        "requestId": text("Which request asked, by its X-Request-Id; empty where none did."),
    },
    required=("time", "kind", "name", "type", "result", "message", "revision", "who", "count", "peer", "requestId"),
    title="Event",
)
