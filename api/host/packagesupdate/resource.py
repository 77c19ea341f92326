"""/host/packagesupdate: the packages of the machine that have a newer version. `swupdate` of /host installs them."""

from __future__ import annotations

from typing import Final

from api.http.endpoint import Call, Resource, get
from api.http.refusal import Refusal, not_found
from api.http.schema import arr, obj, text
from reconciler.host.packages import Upgrade
from reconciler.identity.role import Role
from specs.plain import NewJson

_LONGEST_S: Final = 60.0  # that a request waits for the tool
_FIELDS: Final = {
    "package_name": text("The package."),
    "arch": text("Its architecture."),
    "version": text("The newer version."),
    "repository": text("Where that comes from."),
}
UPGRADE: Final = obj(_FIELDS, required=tuple(_FIELDS), title="PackageUpdate")


class _Family(Resource):
    tag = "Host"

    async def upgrades(self) -> tuple[Upgrade, ...]:
        """As the tool tells; asked once for everybody who waits."""
        found = await self.serving.host.upgrades(_LONGEST_S)
        if found is None:
            raise Refusal(501, "This host has no package tool that onggi knows; install APT or DNF.", "KCHPKGUPD0004E")
        return found


class PackageUpdates(_Family):
    """All of them."""

    address = "/host/packagesupdate"

    @get(
        "The packages that have a newer version, by name.",
        arr(UPGRADE),
        filters=True,
        statuses=(501,),
        role=Role.VIEWER,
    )
    async def read(self, _call: Call) -> list[NewJson]:
        """As far as the lists that were fetched last tell."""
        return [_view(each) for each in await self.upgrades()]


class PackageUpdate(_Family):
    """One of them."""

    address = "/host/packagesupdate/{name}"

    @get("A package that has a newer version.", UPGRADE, statuses=(501,), role=Role.VIEWER)
    async def read(self, _call: Call, name: str) -> NewJson:
        """By the package's name."""
        found = next((each for each in await self.upgrades() if each.package_name == name), None)
        if found is None:
            raise not_found("KCHPKGUPD0002E", f"An update of a package {name}")
        return _view(found)


def _view(upgrade: Upgrade) -> NewJson:
    return {key: getattr(upgrade, key) for key in _FIELDS}
