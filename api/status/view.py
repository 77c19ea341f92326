"""How everything is, as `onggi status -o json` shows it."""

from __future__ import annotations

from typing import Final

from api.documents.report import KIND, NAME, REVISION_TEXT, TIME
from api.http.schema import Schema, arr, boolean, number, obj, text
from reconciler.serving.sight import Sight
from specs.plain import Json, NewJson

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
        "kind": KIND,
        "metadata": obj({"name": NAME, "uid": text("Its identity.")}, required=("name",)),
        "status": obj(
            {
                "summary": text("One word: what is wrong with it, else what it does."),
                "state": text("As observed: running, shutoff, active, …; empty when it isn't on the host."),
                "observedRevision": REVISION_TEXT,
                "conditions": arr(CONDITION),
                "lastOutcome": obj(
                    {
                        "time": TIME,
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
                "revision": REVISION_TEXT,
                "connect": text("The host."),
                "last_pass": TIME,
                "started": TIME,
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
                    "since": TIME,
                },
                required=("path", "reason", "message", "since"),
            ),
            description="Files with mistakes of which nobody can tell whose documents they are in.",
        ),
    },
    required=("agent", "objects", "files"),
    title="Status",
)

_OF_THE_AGENT: Final = ("running", "connected", "suspended")  # that users are told


def told_to_a_user(sight: Sight, report: Json) -> NewJson:
    """The same for who sees their own machines alone: nothing of the repository, and no sentence about another's."""
    agent = {key: report["agent"][key] for key in _OF_THE_AGENT} | {"conditions": []}
    objects = [object_told_to_a_user(sight, each) for each in report["objects"]]
    return {"agent": agent, "objects": objects, "files": []}


def object_told_to_a_user(sight: Sight, document: Json) -> NewJson:
    """The same of one object; its file may be called after others that are in it."""
    status = {key: value for key, value in document["status"].items() if key != "path"}
    status["conditions"] = [{**each, "message": sight.told(each["message"])} for each in status["conditions"]]
    if "lastOutcome" in status:
        status["lastOutcome"] = {**status["lastOutcome"], "message": sight.told(status["lastOutcome"]["message"])}
    return {**document, "status": status}
