"""/revisions: what was applied, and what is in force."""

from __future__ import annotations

from api.documents.report import Report
from api.http.endpoint import Call, get
from api.http.schema import arr
from api.revisions.view import REVISION, revisions_view
from reconciler.identity.role import Role
from reconciler.serving.seen_events import SeenEvents
from specs.plain import NewJson


class Revisions(Report):
    """What was applied."""

    address = "/revisions"

    @get(
        "The revisions that something was done for, newest first, and the one in force.", arr(REVISION), filters=True,
        blocking=True, description="As far back as events are kept. The repository has the whole history.",
        role=Role.USER, theirs="For users those that did something to their machines.",
    )  # fmt: skip
    def read(self, call: Call) -> list[NewJson]:
        """From the list of events."""
        seen = SeenEvents(self.serving.sight(call.client), self.ledger.history)
        return revisions_view(seen.all(), str(self.serving.world.desired.revision))
