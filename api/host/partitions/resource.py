"""/host/partitions: the disks and partitions. On those that are `available` a storage pool can be made."""

from __future__ import annotations

from typing import Final

from api.host.partitions.view import PARTITION, partition_view
from api.http.endpoint import Call, Resource, get
from api.http.refusal import not_found
from api.http.schema import arr, text
from api.http.ttl_cache import TtlCache
from api.services import Services
from reconciler.identity.role import Role
from specs.plain import NewJson

_KEPT_S: Final = 2.0
_QUERY: Final = {
    "_available_only": text("true: none that is in use.", enum=["true", "false"], x_code="KCHAPI0001E"),
}


class _Family(Resource):
    tag = "Host"

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.disks = TtlCache(lambda: self.serving.host.disks(), _KEPT_S)


class Partitions(_Family):
    """All of them."""

    address = "/host/partitions"

    @get(
        "The disks and partitions by path, those in use too. None where lsblk is missing.",
        arr(PARTITION), filters=True, blocking=True, query=_QUERY, role=Role.VIEWER,
    )  # fmt: skip
    def read(self, call: Call) -> list[NewJson]:
        """As lsblk lists them now."""
        free = call.query.get("_available_only") == "true"
        return [partition_view(each) for each in self.disks().shown if each.available or not free]


class Partition(_Family):
    """One of them."""

    address = "/host/partitions/{name}"

    @get("A disk or partition.", PARTITION, blocking=True, role=Role.VIEWER)
    def read(self, _call: Call, name: str) -> NewJson:
        """As lsblk lists it now."""
        found = self.disks().get(name)
        if found is None:
            raise not_found("KCHPART0001E", f"The partition {name}")
        return partition_view(found)
