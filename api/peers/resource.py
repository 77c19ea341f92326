"""/peers: the other agents on the network, as far as they make themselves known there."""

from __future__ import annotations

from api.http.endpoint import Call, Resource, get
from api.http.schema import arr, text
from reconciler.identity.role import Role


class Peers(Resource):
    """Where they answer."""

    address = "/peers"
    tag = "Peers"

    @get(
        "Where other agents on the network answer, such as https://192.0.2.7:8001. None when federation is off.",
        arr(text()), blocking=True, role=Role.VIEWER,
    )  # fmt: skip
    def read(self, _call: Call) -> list[str]:
        """Those that were heard of lately."""
        return list(self.serving.host.peers())
