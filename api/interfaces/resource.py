"""/interfaces: the host's network interfaces, to choose one for a network. They can only be looked at."""

from __future__ import annotations

from typing import Final

from api.http.endpoint import Call, Resource, get
from api.http.refusal import not_found
from api.http.schema import arr, text
from api.http.ttl_cache import TtlCache
from api.interfaces.view import INTERFACE, interface_view, offered, used_by_networks
from api.services import Services
from reconciler.identity.role import Role
from specs.plain import NewJson

_KEPT_S: Final = 3.0
_QUERY: Final = {
    "_inuse": text("true: instead those that networks have.", enum=["true", "false"], x_code="KCHIFACE0002E"),
}


class _Family(Resource):
    tag = "Interfaces"

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.interfaces = TtlCache(lambda: self.serving.hypervisor.host_interfaces(), _KEPT_S)


class Interfaces(_Family):
    """Those that a network may go through."""

    address = "/interfaces"

    @get(
        "The interfaces that a new network may go through: NICs, bonds and bridges which no network has yet.",
        arr(INTERFACE), filters=True, blocking=True, query=_QUERY, role=Role.VIEWER,
    )  # fmt: skip
    def read(self, call: Call) -> list[NewJson]:
        """By name."""
        snapshot = self.serving.world.snapshot
        if call.query.get("_inuse") == "true":
            used = used_by_networks(snapshot)
            found = [each for each in self.interfaces() if each.name in used]
        else:
            found = offered(self.interfaces(), snapshot)
        return [interface_view(each) for each in sorted(found, key=lambda each: each.name)]


class Interface(_Family):
    """Any one of the host."""

    address = "/interfaces/{name}"

    @get(
        "A network interface of the host, whether or not it is in the list.", INTERFACE, blocking=True, role=Role.VIEWER
    )
    def read(self, _call: Call, name: str) -> NewJson:
        """As the host tells it now."""
        found = next((each for each in self.interfaces() if each.name == name), None)
        if found is None:
            raise not_found("KCHIFACE0001E", f"The interface {name}")
        return interface_view(found)
