"""/plan: what is to be done so that the host is as the documents say."""

from __future__ import annotations

from api.documents.report import Report
from api.http.endpoint import Call, get
from api.plan.view import PLAN, plan_view
from reconciler.identity.role import Role
from specs.plain import NewJson


class Plan(Report):
    """What is to be done."""

    address = "/plan"

    @get("What is to be done so that the host is as the documents say.", PLAN, blocking=True, role=Role.ADMIN)
    def read(self, _call: Call) -> NewJson:
        """As the last pass planned it: empty at rest."""
        return plan_view(self.serving.world)
