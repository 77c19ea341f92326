"""What has drifted, as `onggi drift -o json` shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from api.documents.report import ITEM, PROBLEMS, REVISION_TEXT, TIME, plain
from api.http.schema import Schema, arr, integer, obj, text
from reconciler.loop.passes import World
from reconciler.reporting.drift_text import DriftReport
from reconciler.reporting.problem_json import problem_json
from specs.plain import NewJson
from specs.reference import Ref

_DRIFTED: Final = obj(
    {
        **ITEM,
        "type": text("changed, missing or power.", enum=["changed", "missing", "power"]),
        "policy": text(
            "enforce: put back; warn: told; suspended: left alone; hold: gone until a person decides.",
            enum=["enforce", "warn", "suspended", "hold"],
        ),
        "path": text("The document's file."),
        "line": integer("The line there.", minimum=0),
        "fields": arr(
            obj(
                {
                    "field": text("A JSON pointer into the document's spec."),
                    "declared": {"description": "What the document says."},
                    "config": {"description": "What the persistent definition says."},
                    "live": {"description": "What the running one says."},
                    "where": text("Which of them is wrong.", enum=["config", "live", "both"]),
                    "since": text("When it was seen first; empty when just now."),
                },
                required=("field", "declared", "config", "where", "since"),
            )
        ),
    },
    required=("kind", "name", "type", "policy", "path", "line", "fields"),
    title="Drift",
)
_EXTRA: Final = obj({**ITEM, "fields": arr(text())}, required=("kind", "name", "fields"))
DRIFT: Final[Schema] = obj(
    {
        "revision": REVISION_TEXT,
        "drift": arr(_DRIFTED, description="What on the host isn't as it was last applied."),
        "extra": arr(_EXTRA, description="In no document and left alone: information."),
        "waitingToBeApplied": integer("Steps that a new revision asks for: no drift.", minimum=0),
        "problems": PROBLEMS,
    },
    required=("revision", "drift", "extra", "waitingToBeApplied", "problems"),
    title="DriftReport",
)
RECORD: Final[Schema] = obj(
    {
        **ITEM,
        "field": text("A JSON pointer into the document's spec."),
        "type": text("changed, missing or power."),
        "policy": text("enforce, warn, suspended or hold."),
        "declared": {"description": "What the document said."},
        "found": {"description": "What the host had."},
        "firstSeen": TIME,
        "lastSeen": TIME,
        "healedAt": text("When it ended; empty while it goes on."),
        "healedBy": text("Who ended it: onggi, itself or document; empty while it goes on."),
    },
    required=("kind", "name", "field", "type", "policy", "declared", "found", "firstSeen", "lastSeen", "healedAt"),
    title="DriftRecord",
)
DRIFT_OF: Final[Schema] = obj(
    {
        **ITEM,
        "drift": arr(_DRIFTED, description="What isn't as it was last applied."),
        "extra": arr(text(), description="Fields in no document, left alone."),
        "records": arr(RECORD, description="What differed, also what has ended."),
    },
    required=("kind", "name", "drift", "extra", "records"),
)


def drift_view(world: World, since: Mapping[tuple[Ref, str], str]) -> NewJson:
    """The drift that the last pass found. `since` tells when what is recorded was seen first."""
    report = DriftReport(str(world.desired.revision), world.drift, since)
    drifted = {item.ref for item in report.deviations}
    waiting = sum(step.ref not in drifted for step in world.plan.steps)
    told = report.to_json() | {"waitingToBeApplied": waiting}
    return plain(told | {"problems": [problem_json(item) for item in world.desired.problems]})
