"""/host/vgs: LVM's volume groups, of which a logical pool can be made with `from_vg`. They can only be looked at."""

from __future__ import annotations

from typing import Final

from api.http.endpoint import Call, Resource, get
from api.http.refusal import not_found
from api.http.schema import Schema, arr, integer, obj, text
from api.http.ttl_cache import TtlCache
from api.services import Services
from reconciler.host.group_list import VolumeGroup
from reconciler.identity.role import Role
from specs.plain import NewJson

_KEPT_S: Final = 2.0
_FIELDS: Final = {
    "name": text("Its name."),
    "size": integer("All of its space, in bytes.", minimum=0),
    "free": integer("What no volume has, in bytes.", minimum=0),
    "pvs": arr(text(), description="The paths of its devices."),
    "lvs": arr(text(), description="The names of its volumes."),
}
VOLUME_GROUP: Final[Schema] = obj(_FIELDS, required=tuple(_FIELDS), title="VolumeGroup")


class _Family(Resource):
    tag = "Host"
    since = "2.0"

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.groups = TtlCache(lambda: self.serving.host.groups(), _KEPT_S)


class VolumeGroups(_Family):
    """All of them."""

    address = "/host/vgs"

    @get("LVM's volume groups, by name.", arr(VOLUME_GROUP), filters=True, blocking=True, role=Role.VIEWER)
    def read(self, _call: Call) -> list[NewJson]:
        """As LVM lists them now."""
        return [_view(each) for each in self.groups()]


class VolumeGroupByName(_Family):
    """One of them."""

    address = "/host/vgs/{name}"

    @get("A volume group.", VOLUME_GROUP, blocking=True, role=Role.VIEWER)
    def read(self, _call: Call, name: str) -> NewJson:
        """As LVM lists it now."""
        found = next((each for each in self.groups() if each.name == name), None)
        if found is None:
            raise not_found("KCHLVMS0001E", f"The volume group {name}")
        return _view(found)


def _view(group: VolumeGroup) -> NewJson:
    return {
        "name": group.name,
        "size": group.size,
        "free": group.free,
        "pvs": list(group.devices),
        "lvs": list(group.volumes),
    }
