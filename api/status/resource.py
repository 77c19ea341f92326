"""/status: how the agent and every declared object are."""

from __future__ import annotations

import os

from api.documents.report import Report, named
from api.http.endpoint import Call, get
from api.http.refusal import Refusal
from api.status.view import OBJECT, STATUS
from reconciler.identity.role import Role
from reconciler.reporting.matters import unread_files
from reconciler.reporting.status_text import status_document, status_report
from reconciler.status.suspension import ALL, ANYTHING
from specs.plain import NewJson


class Status(Report):
    """The agent and every object."""

    address = "/status"

    @get("How the agent and every declared object are.", STATUS, blocking=True, role=Role.VIEWER)
    def read(self, _call: Call) -> NewJson:
        """As of the last pass."""
        info = {**self.ledger.heartbeat.told(), "pid": str(os.getpid())}
        connected = str(self.serving.world.snapshot.connected).lower()
        suspended = self.ledger.decisions.suspended() is ALL
        told = info | {"connected": connected}
        why = str(self.ledger.decisions.suspensions().get(ANYTHING, ""))
        unread = unread_files(self.ledger.notices.open().values())
        return status_report(told, self.ledger.status.all(), running=True, suspended=suspended, why=why, unread=unread)


class StatusOf(Report):
    """One object."""

    address = "/status/{kind}/{name:path}"

    @get("How one declared object is.", OBJECT, blocking=True, role=Role.VIEWER)
    def read(self, _call: Call, kind: str, name: str) -> NewJson:
        """As of the last pass."""
        found = self.ledger.status.of(ref := named(kind, name))
        if found is None:
            raise Refusal(404, f"Nothing is known of {ref}; it isn't declared.")
        return status_document(found)
