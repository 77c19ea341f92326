"""/ovsbridges: Open vSwitch's bridges on the host. They can only be looked at."""

from __future__ import annotations

from typing import Final

from api.http.endpoint import Call, Resource, get
from api.http.schema import arr, text
from api.http.ttl_cache import TtlCache
from api.services import Services
from reconciler.identity.role import Role

_KEPT_S: Final = 3.0


class OvsBridges(Resource):
    """All of them."""

    address = "/ovsbridges"
    tag = "Interfaces"
    since = "2.3"

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.bridges = TtlCache(lambda: self.serving.host.ovs_bridges(), _KEPT_S)

    @get(
        "The names of Open vSwitch's bridges; none on a host without it.", arr(text()), blocking=True, role=Role.VIEWER
    )
    def read(self, _call: Call) -> list[str]:
        """As Open vSwitch lists them now."""
        return list(self.bridges())
