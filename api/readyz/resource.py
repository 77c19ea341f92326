"""/readyz: what /healthz says, and which revision is in force."""

from __future__ import annotations

from api.healthz.resource import Health


class Readiness(Health):
    """The same, and what it is ready with."""

    address = "/readyz"

    def told(self) -> dict[str, str]:
        """Also the revision in force."""
        return {"status": "ok", **self.services.info()}
