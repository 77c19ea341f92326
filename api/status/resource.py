"""/status: how the agent and every declared object are."""

from __future__ import annotations

import os

from api.documents.report import Report, named
from api.http.endpoint import Call, get
from api.http.refusal import Refusal
from api.status.view import OBJECT, STATUS, object_told_to_a_user, told_to_a_user
from reconciler.identity.role import Role
from reconciler.reporting.matters import unread_files
from reconciler.reporting.status_text import status_document, status_report
from reconciler.status.suspension import ALL, ANYTHING
from specs.plain import NewJson


class Status(Report):
    """The agent and every object."""

    address = "/status"

    @get(
        "How the agent and every declared object are.",
        STATUS,
        blocking=True,
        role=Role.USER,
        theirs="Users see that of their machines, and whether the agent runs.",
    )
    def read(self, call: Call) -> NewJson:
        """As of the last pass. Of users: how the machines are that are theirs, and whether the agent runs."""
        sight = self.serving.sight(call.client)
        info = {**self.ledger.heartbeat.told(), "pid": str(os.getpid())}
        connected = str(self.serving.world.snapshot.connected).lower()
        suspended = self.ledger.decisions.suspended() is ALL
        told = info | {"connected": connected}
        why = str(self.ledger.decisions.suspensions().get(ANYTHING, ""))
        unread = unread_files(self.ledger.notices.open().values())
        statuses = sight.of(self.ledger.status.all(), lambda each: each.ref)
        report = status_report(told, statuses, running=True, suspended=suspended, why=why, unread=unread)
        return report if sight.is_whole else told_to_a_user(sight, report)


class StatusOf(Report):
    """One object."""

    address = "/status/{kind}/{name:path}"

    @get(
        "How one declared object is.", OBJECT, blocking=True, role=Role.USER, theirs="Users see that of their machines."
    )
    def read(self, call: Call, kind: str, name: str) -> NewJson:
        """As of the last pass."""
        sight = self.serving.sight(call.client)
        found = self.ledger.status.of(ref := named(kind, name))
        if found is None or not sight.sees(ref):
            raise Refusal(404, f"Nothing is known of {ref}; it isn't declared.")
        document = status_document(found)
        return document if sight.is_whole else object_told_to_a_user(sight, document)
