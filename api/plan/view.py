"""The plan of the last pass, as `onggi plan -o json` shows it."""

from __future__ import annotations

from typing import Final

from api.documents.report import ITEM, PROBLEMS, REVISION_TEXT, plain
from api.http.schema import Schema, arr, boolean, integer, obj, text
from reconciler.loop.passes import World
from reconciler.reporting.problem_json import problem_json
from specs.plain import NewJson

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
        **ITEM,
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
_COUNTS: Final = ("create", "update", "delete", "replace", "blocked", "waiting")
PLAN: Final[Schema] = obj(
    {
        "revision": REVISION_TEXT,
        "digest": text("Names the plan's content: equal plans have equal digests."),
        "summary": obj({name: integer(minimum=0) for name in _COUNTS}, required=_COUNTS),
        "steps": arr(
            obj(
                {
                    "action": text("+ make, ~ change, - remove, ∓ make anew.", enum=["+", "~", "-", "∓"]),
                    **ITEM,
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
            obj({**ITEM, "changes": _CHANGES, "waitsFor": text("What exactly.")}, required=("kind", "name", "changes")),
            description="What waits for a boot or a restart.",
        ),
        "staged": arr(_BLOCKED, description="Of what waits: what could be done now with an approval."),
        "drifted": arr(
            obj({**ITEM, "changes": _CHANGES}, required=("kind", "name", "changes")),
            description="Found where `driftPolicy: warn` holds: told, not put back.",
        ),
        "suspended": arr(
            obj({**ITEM, "changes": _CHANGES}, required=("kind", "name", "changes")),
            description="Changed on the host while suspended: told, not put back until it is resumed.",
        ),
        "extras": arr(
            obj({**ITEM, "fields": arr(text())}, required=("kind", "name", "fields")),
            description="What the host has beside what documents speak of.",
        ),
        "notes": arr(text()),
        "problems": PROBLEMS,
    },
    required=("revision", "digest", "summary", "steps", "blocked", "waiting", "problems"),
    title="Plan",
)


def plan_view(world: World) -> NewJson:
    """The plan of the last pass. Empty where the host is as the documents say."""
    told = world.plan.to_json() | {"digest": world.plan.digest}
    return plain(told | {"problems": [problem_json(item) for item in world.desired.problems]})
