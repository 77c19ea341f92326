"""What the agent tells beyond Kimchi: how everything is, what has drifted, what is planned, what was done when.

The shapes are those of `onggi status`, `drift`, `plan` and `events` with `-o json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

from api.http.schema import Schema, arr, boolean, integer, number, obj, text
from reconciler.ledger.notice_book import OVER
from reconciler.ledger.records import Event
from reconciler.loop.passes import World
from reconciler.reporting.drift_text import DriftReport
from reconciler.reporting.problem_json import problem_json
from specs.reference import Ref

_KIND: Final = text("Its kind.", examples=["VirtualMachine"])
_NAME: Final = text("Its name; a volume's has its pool before it: default/web.qcow2.")
_TIME: Final = text("RFC 3339, in UTC.", examples=["2026-01-31T12:00:00Z"])
_REVISION: Final = text("The revision.", examples=["main@sha1:0c6f…"])
_ITEM: Final = {"kind": _KIND, "name": _NAME}
_CHANGE: Final = obj(
    {
        "field": text("A JSON pointer into the document's spec.", examples=["/memory"]),
        "old": {"description": "What it is."},
        "new": {"description": "What it is to be."},
        "effect": text("live, next-boot, recreate or forbidden."),
        "note": text("More on it, for people."),
    },
    required=("field", "old", "new", "effect"),
    title="Change",
)
_CHANGES: Final = arr(_CHANGE)
_BLOCKED: Final = obj(
    {
        **_ITEM,
        "reason": text("In CamelCase, such as ShrinkRefused."),
        "message": text("A sentence for people."),
        "path": text("The document's file."),
        "line": integer("The line there.", minimum=0),
        "approve": text("What `onggi approve` takes."),
        "field": text("What alone is held back, such as /disks; everything else of the object goes on."),
    },
    required=("kind", "name", "reason", "message", "path", "line"),
    title="Blocked",
)
_PROBLEM: Final = obj(
    {
        "path": text("The document's file."),
        "line": integer("The line there."),
        "column": integer("The column there."),
        "message": text("A sentence that says what to do."),
        "pointer": text("A JSON pointer into the document."),
        **_ITEM,
    },
    required=("path", "line", "column", "message"),
    title="Problem",
)
_PROBLEMS: Final = arr(_PROBLEM, description="Mistakes in documents; what they declare is left as it is.")
_COUNTS: Final = ("create", "update", "delete", "replace", "blocked", "waiting")
PLAN: Final[Schema] = obj(
    {
        "revision": _REVISION,
        "digest": text("Names the plan's content: equal plans have equal digests."),
        "summary": obj({name: integer(minimum=0) for name in _COUNTS}, required=_COUNTS),
        "steps": arr(
            obj(
                {
                    "action": text("+ make, ~ change, - remove, ∓ make anew.", enum=["+", "~", "-", "∓"]),
                    **_ITEM,
                    "why": text("The reason, for people."),
                    "effect": text("live, next-boot, recreate or forbidden."),
                    "changes": _CHANGES,
                    "operations": arr(text(), description="What is done, in order."),
                    "after": arr(text(), description="Whose steps have to succeed before."),
                    "path": text("The document's file."),
                    "line": integer("The line there.", minimum=0),
                    "drift": boolean("Whether the host moved and is put back."),
                },
                required=("action", "kind", "name", "why", "effect", "changes", "operations", "after", "drift"),
                title="Step",
            )
        ),
        "blocked": arr(_BLOCKED, description="What isn't done, and why."),
        "waiting": arr(
            obj(
                {**_ITEM, "changes": _CHANGES, "waitsFor": text("What exactly.")}, required=("kind", "name", "changes")
            ),
            description="What waits for a boot or a restart.",
        ),
        "staged": arr(_BLOCKED, description="Of what waits: what could be done now with an approval."),
        "drifted": arr(
            obj({**_ITEM, "changes": _CHANGES}, required=("kind", "name", "changes")),
            description="Found where `driftPolicy: warn` holds: told, not put back.",
        ),
        "suspended": arr(
            obj({**_ITEM, "changes": _CHANGES}, required=("kind", "name", "changes")),
            description="Changed on the host while suspended: told, not put back until it is resumed.",
        ),
        "extras": arr(
            obj({**_ITEM, "fields": arr(text())}, required=("kind", "name", "fields")),
            description="What the host has beside what documents speak of.",
        ),
        "notes": arr(text()),
        "problems": _PROBLEMS,
    },
    required=("revision", "digest", "summary", "steps", "blocked", "waiting", "problems"),
    title="Plan",
)
_DRIFTED: Final = obj(
    {
        **_ITEM,
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
_EXTRA: Final = obj({**_ITEM, "fields": arr(text())}, required=("kind", "name", "fields"))
DRIFT: Final[Schema] = obj(
    {
        "revision": _REVISION,
        "drift": arr(_DRIFTED, description="What on the host isn't as it was last applied."),
        "extra": arr(_EXTRA, description="In no document and left alone: information."),
        "waitingToBeApplied": integer("Steps that a new revision asks for: no drift.", minimum=0),
        "problems": _PROBLEMS,
    },
    required=("revision", "drift", "extra", "waitingToBeApplied", "problems"),
    title="DriftReport",
)
RECORD: Final[Schema] = obj(
    {
        **_ITEM,
        "field": text("A JSON pointer into the document's spec."),
        "type": text("changed, missing or power."),
        "policy": text("enforce, warn, suspended or hold."),
        "declared": {"description": "What the document said."},
        "found": {"description": "What the host had."},
        "firstSeen": _TIME,
        "lastSeen": _TIME,
        "healedAt": text("When it ended; empty while it goes on."),
        "healedBy": text("Who ended it: onggi, itself or document; empty while it goes on."),
    },
    required=("kind", "name", "field", "type", "policy", "declared", "found", "firstSeen", "lastSeen", "healedAt"),
    title="DriftRecord",
)
DRIFT_OF: Final[Schema] = obj(
    {
        **_ITEM,
        "drift": arr(_DRIFTED, description="What isn't as it was last applied."),
        "extra": arr(text(), description="Fields in no document, left alone."),
        "records": arr(RECORD, description="What differed, also what has ended."),
    },
    required=("kind", "name", "drift", "extra", "records"),
)
CONDITION: Final[Schema] = obj(
    {
        "type": text("Ready, Reconciling, Stalled, Drifted, DataLost, RestartRequired, Suspended, …"),
        "status": text("True or False.", enum=["True", "False"]),
        "reason": text("In CamelCase."),
        "message": text("A sentence for people."),
        "lastTransitionTime": text("Since when the status holds."),
        "observedRevision": text("The revision that it is about."),
    },
    required=("type", "status", "reason", "message"),
    title="Condition",
)
OBJECT: Final[Schema] = obj(
    {
        "apiVersion": text(enum=["onggi/v1"]),
        "kind": _KIND,
        "metadata": obj({"name": _NAME, "uid": text("Its identity.")}, required=("name",)),
        "status": obj(
            {
                "summary": text("One word: what is wrong with it, else what it does."),
                "state": text("As observed: running, shutoff, active, …; empty when it isn't on the host."),
                "observedRevision": _REVISION,
                "conditions": arr(CONDITION),
                "lastOutcome": obj(
                    {
                        "time": _TIME,
                        "action": text("+ ~ - or ∓."),
                        "result": text("created, configured, deleted, skipped or failed."),
                        "message": text(),
                        "revision": text(),
                        "durationSeconds": number(minimum=0),
                    }
                ),
                "path": text("The document's file."),
            },
            required=("summary", "state", "observedRevision", "conditions"),
        ),
    },
    required=("apiVersion", "kind", "metadata", "status"),
    title="ObjectStatus",
)
STATUS: Final[Schema] = obj(
    {
        "agent": obj(
            {
                "running": boolean("Whether the agent runs."),
                "connected": boolean("Whether the host can be reached."),
                "suspended": boolean("Whether everything is left alone."),
                "suspension": text("By whom, since when and why, when somebody said so."),
                "conditions": arr(CONDITION),
                "revision": _REVISION,
                "connect": text("The host."),
                "last_pass": _TIME,
                "started": _TIME,
            },
            required=("running", "connected", "suspended", "conditions"),
            closed=False,
        ),
        "objects": arr(OBJECT, description="Everything that is declared, by kind and name."),
        "files": arr(
            obj(
                {
                    "path": text("The file."),
                    "reason": text("InvalidDocument."),
                    "message": text("Where the mistakes are, and how to mend them."),
                    "since": _TIME,
                },
                required=("path", "reason", "message", "since"),
            ),
            description="Files with mistakes of which nobody can tell whose documents they are in.",
        ),
    },
    required=("agent", "objects", "files"),
    title="Status",
)
EVENT: Final[Schema] = obj(
    {
        "time": _TIME,
        **_ITEM,
        "type": text("Normal, or Warning.", enum=["Normal", "Warning"]),
        "result": text("created, configured, deleted, skipped, failed, …"),
        "message": text("Why it was done, or wasn't."),
        "revision": text("The revision that asked for it; empty for what was asked for once."),
        "who": text("reconcile, or who asked: api:<user>."),
        "count": integer("How often in a row.", minimum=1),
    },
    required=("time", "kind", "name", "type", "result", "message", "revision", "who", "count"),
    title="Event",
)
REVISION: Final[Schema] = obj(
    {
        "revision": _REVISION,
        "inForce": boolean("Whether the host is kept as it says now."),
        "firstApplied": text("When something was done for it first; empty when nothing had to be, or nobody knows."),
        "lastApplied": text("And when last."),
        "steps": integer("Steps that succeeded.", minimum=0),
        "failed": integer("Steps that failed, repeated ones as often.", minimum=0),
    },
    required=("revision", "inForce", "firstApplied", "lastApplied", "steps", "failed"),
    title="Revision",
)


def plan_view(world: World) -> dict[str, Any]:
    """The plan of the last pass. Empty where the host is as the documents say."""
    told = world.plan.to_json() | {"digest": world.plan.digest}
    return _plain(told | {"problems": [problem_json(item) for item in world.desired.problems]})


def drift_view(world: World, since: Mapping[tuple[Ref, str], str]) -> dict[str, Any]:
    """The drift that the last pass found. `since` tells when what is recorded was seen first."""
    report = DriftReport(str(world.desired.revision), world.drift, since)
    drifted = {item.ref for item in report.deviations}
    waiting = sum(step.ref not in drifted for step in world.plan.steps)
    told = report.to_json() | {"waitingToBeApplied": waiting}
    return _plain(told | {"problems": [problem_json(item) for item in world.desired.problems]})


def revisions_view(events: Iterable[Event], in_force: str) -> list[dict[str, Any]]:
    """The revisions that something was done for, as far back as events are kept, the newest first; the one in force
    also when nothing had to be done for it.
    """
    found: dict[str, dict[str, Any]] = {}
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


def _revision(revision: str, time: str) -> dict[str, Any]:
    return {
        "revision": revision, "inForce": False, "firstApplied": time, "lastApplied": time, "steps": 0, "failed": 0,
    }  # fmt: skip


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """Only what JSON knows, as the command line prints it."""
    plain: dict[str, Any] = orjson.loads(json.dumps(value, default=str))
    return plain
