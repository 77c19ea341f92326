"""/metrics: figures for a monitoring system."""

from __future__ import annotations

from api.http.endpoint import OURS, Answer, Call, Resource, get
from api.http.schema import text
from api.metrics.view import CONTENT_TYPE, metrics_text
from reconciler.identity.role import Role


class Metrics(Resource):
    """As of the last pass."""

    address = "/metrics"
    tag = "Service"
    since = OURS

    @get(
        "Figures in Prometheus' text format.", text(), blocking=True, content_type="text/plain",
        description="onggi_reconcile_duration_seconds, onggi_reconcile_total, onggi_resource_info, onggi_drift_fields,"
        " onggi_data_lost, onggi_restart_required, onggi_libvirt_connected, onggi_webhook_requests_total and others.",
        role=Role.VIEWER,
    )  # fmt: skip
    def read(self, _call: Call) -> Answer:
        """All of them."""
        serving, webhooks = self.serving, dict(self.services.webhooks.requests)
        told = metrics_text(serving.world, serving.tally.counted(), webhooks, serving.tasks.by_status())
        return Answer(content=told.encode(), content_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})
