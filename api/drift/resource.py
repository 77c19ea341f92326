"""/drift: what on the host was changed since it was last applied."""

from __future__ import annotations

from api.documents.report import Report, named
from api.drift.view import DRIFT, DRIFT_OF, RECORD, drift_view
from api.http.endpoint import Call, get
from api.http.refusal import Refusal
from api.http.schema import arr
from reconciler.identity.role import Role
from reconciler.reporting.drift_text import record_json
from specs.plain import NewJson
from specs.reference import Ref


class Drift(Report):
    """What was changed on the host."""

    address = "/drift"

    @get("What on the host was changed since it was last applied.", DRIFT, blocking=True, role=Role.ADMIN)
    def read(self, _call: Call) -> NewJson:
        """As the last pass found it."""
        since = {(record.ref, record.field): record.first_seen for record in self.ledger.drift.records()}
        return drift_view(self.serving.world, since)


class DriftHistory(Report):
    """Drift that was noted."""

    address = "/drift/history"

    @get(
        "The drift that was noted, with what has ended and by whose doing.",
        arr(RECORD),
        filters=True,
        blocking=True,
        role=Role.ADMIN,
    )
    def read(self, _call: Call) -> list[NewJson]:
        """Oldest first."""
        return [record_json(record) for record in self.ledger.drift.records(healed=True)]


class DriftOf(Report):
    """One object's."""

    address = "/drift/{kind}/{name:path}"

    @get("What of one object was changed, now and before.", DRIFT_OF, blocking=True, role=Role.ADMIN)
    def read(self, _call: Call, kind: str, name: str) -> NewJson:
        """404 for what is neither declared nor noted."""
        ref = named(kind, name)
        world = self.serving.world
        records = [record for record in self.ledger.drift.records(healed=True) if record.ref == ref]
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


def _is(told: NewJson, ref: Ref) -> bool:
    return bool(told["kind"] == ref.kind and told["name"] == ref.name)
