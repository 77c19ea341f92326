"""/status, /drift, /plan and /revisions: how the host stands to the repository. Nothing here changes anything."""

from __future__ import annotations

import os
from typing import Any

from api.http.endpoint import OURS, Call, Resource, get
from api.http.refusal import Refusal
from api.http.schema import arr
from api.views.reports import (
    DRIFT,
    DRIFT_OF,
    OBJECT,
    PLAN,
    RECORD,
    REVISION,
    STATUS,
    drift_view,
    plan_view,
    revisions_view,
)
from reconciler.ledger.history import KEPT_EVENTS
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.records import ALL
from reconciler.reporting.drift_text import record_json
from reconciler.reporting.matters import unread_files
from reconciler.reporting.status_text import status_document, status_report
from reconciler.status.status import ANYTHING
from specs.reference import Ref
from specs.registry import find_kind


class _Report(Resource):
    tag = "Reports"
    since = OURS

    @property
    def ledger(self) -> Ledger:
        """What the agent remembers."""
        return self.serving.agent.line.ledger


def named(kind: str, name: str) -> Ref:
    """The object that an address names; the kind by its name, its plural or an alias. Raises Refusal 404."""
    found = find_kind(kind)
    if found is None:
        raise Refusal(404, "There is no such kind; see `onggi explain` for those that there are.")
    return Ref(found.name, name)


class Status(_Report):
    """The agent and every object."""

    address = "/status"

    @get("How the agent and every declared object are.", STATUS, blocking=True)
    def read(self, _call: Call) -> dict[str, Any]:
        """As of the last pass."""
        info = {**self.ledger.agent_info(), "pid": str(os.getpid())}
        connected = str(self.serving.world.snapshot.connected).lower()
        suspended = self.ledger.suspended() is ALL
        told = info | {"connected": connected}
        why = str(self.ledger.suspensions.suspensions().get(ANYTHING, ""))
        unread = unread_files(self.ledger.notices.open().values())
        return status_report(told, self.ledger.statuses(), running=True, suspended=suspended, why=why, unread=unread)


class StatusOf(_Report):
    """One object."""

    address = "/status/{kind}/{name:path}"

    @get("How one declared object is.", OBJECT, blocking=True)
    def read(self, _call: Call, kind: str, name: str) -> dict[str, Any]:
        """As of the last pass."""
        found = self.ledger.status(ref := named(kind, name))
        if found is None:
            raise Refusal(404, f"Nothing is known of {ref}; it isn't declared.")
        return status_document(found)


class Drift(_Report):
    """What was changed on the host."""

    address = "/drift"

    @get("What on the host was changed since it was last applied.", DRIFT, blocking=True)
    def read(self, _call: Call) -> dict[str, Any]:
        """As the last pass found it."""
        since = {(record.ref, record.field): record.first_seen for record in self.ledger.drifts()}
        return drift_view(self.serving.world, since)


class DriftHistory(_Report):
    """Drift that was noted."""

    address = "/drift/history"

    @get("The drift that was noted, with what has ended and by whose doing.", arr(RECORD), filters=True, blocking=True)
    def read(self, _call: Call) -> list[dict[str, Any]]:
        """Oldest first."""
        return [record_json(record) for record in self.ledger.drifts(healed=True)]


class DriftOf(_Report):
    """One object's."""

    address = "/drift/{kind}/{name:path}"

    @get("What of one object was changed, now and before.", DRIFT_OF, blocking=True)
    def read(self, _call: Call, kind: str, name: str) -> dict[str, Any]:
        """404 for what is neither declared nor noted."""
        ref = named(kind, name)
        world = self.serving.world
        records = [record for record in self.ledger.drifts(healed=True) if record.ref == ref]
        declared = ref in world.desired.resources or ref in world.desired.held
        if not declared and not records:
            raise Refusal(404, f"{ref} isn't declared, so that it can't drift.")
        told = drift_view(world, {(record.ref, record.field): record.first_seen for record in records if record.open})
        own = {key: [each for each in told[key] if _is(each, ref)] for key in ("drift", "extra")}
        return {
            "kind": ref.kind,
            "name": ref.name,
            "drift": own["drift"],
            "extra": [field for each in own["extra"] for field in each["fields"]],
            "records": [record_json(record) for record in records],
        }


class Plan(_Report):
    """What is to be done."""

    address = "/plan"

    @get("What is to be done so that the host is as the documents say.", PLAN, blocking=True)
    def read(self, _call: Call) -> dict[str, Any]:
        """As the last pass planned it: empty at rest."""
        return plan_view(self.serving.world)


class Revisions(_Report):
    """What was applied."""

    address = "/revisions"

    @get(
        "The revisions that something was done for, newest first, and the one in force.", arr(REVISION), filters=True,
        blocking=True, description="As far back as events are kept. The repository has the whole history.",
    )  # fmt: skip
    def read(self, _call: Call) -> list[dict[str, Any]]:
        """From the list of events."""
        return revisions_view(self.ledger.events(KEPT_EVENTS), str(self.serving.world.desired.revision))


def _is(told: dict[str, Any], ref: Ref) -> bool:
    return bool(told["kind"] == ref.kind and told["name"] == ref.name)
