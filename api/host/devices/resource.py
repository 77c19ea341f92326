"""/host/devices: what is built into the machine or plugged in, which of it a VM can be given, and which VMs have it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from api.host.devices.view import DEVICE, HOLDER, device_view, holder_view
from api.http.endpoint import Call, Resource, get
from api.http.isolated import isolated
from api.http.refusal import bad, not_found
from api.http.schema import arr, text
from reconciler.errors import NotFound
from reconciler.identity.role import Role
from reconciler.observed.device_holders import Holder, holders
from reconciler.observed.host_devices import KINDS, HostDevice, HostDevices
from specs.plain import NewJson

_QUERY: Final = {
    "_cap": text("Only those that can do this.", enum=list(KINDS), x_code="KCHDEVS0001E"),
    "_passthrough": text(
        "Only those that a VM can be given, or only the others.", enum=["true", "false"], x_code="KCHDEVS0002E"
    ),
    "_available_only": text("true: none that a VM has.", enum=["true", "false"], x_code="KCHDEVS0004E"),
    "_passthrough_affected_by": text(
        "What goes to a VM along with the device of this name.", pattern="^[_A-Za-z0-9-]+$", x_code="KCHDEVS0003E"
    ),
}


def _name(device: HostDevice) -> str:
    return device.name


class _Family(Resource):
    tag = "Devices"

    def all(self) -> HostDevices:
        return self.serving.hypervisor.devices()

    def one(self, name: str) -> HostDevice:
        found = self.all().get(name)
        if found is None:
            raise not_found("KCHHOST0003E", f"The device {name}")
        return found

    def holders_of(self, name: str) -> Sequence[Holder]:
        return holders(self.one(name), self.serving.world.snapshot)


class Devices(_Family):
    """All of them."""

    address = "/host/devices"

    @get("The host's devices, by name.", arr(DEVICE), query=_QUERY, blocking=True, statuses=(404,), role=Role.VIEWER)
    def read(self, call: Call) -> list[NewJson]:
        """Those that the parameters ask for."""
        found, query = self.all(), call.query
        tied = query.get("_passthrough_affected_by")
        if tied is not None:
            if len(query) > 1:
                raise bad(
                    "KCHHOST0004E", "_passthrough_affected_by goes with no other parameter; leave the others out."
                )
            try:
                return isolated(found.affected_by(tied), device_view, _name)
            except NotFound:
                raise not_found("KCHHOST0003E", f"The device {tied}") from None
        chosen = found.of_kind(query["_cap"]) if "_cap" in query else found.devices
        if "_passthrough" in query:
            wanted = query["_passthrough"] == "true"
            chosen = tuple(each for each in chosen if found.is_eligible(each) is wanted)
        if query.get("_available_only") == "true":
            snapshot = self.serving.world.snapshot
            chosen = tuple(each for each in chosen if not holders(each, snapshot))
        return isolated(chosen, device_view, _name)


class Device(_Family):
    """One of them."""

    address = "/host/devices/{name}"

    @get("A device of the host.", DEVICE, blocking=True, role=Role.VIEWER)
    def read(self, _call: Call, name: str) -> NewJson:
        """As libvirt tells of it."""
        return device_view(self.one(name))


class Holders(_Family):
    """The VMs that have it."""

    address = "/host/devices/{name}/vmholders"

    @get("The machines that have the device, by name.", arr(HOLDER), filters=True, blocking=True, role=Role.VIEWER)
    def read(self, _call: Call, name: str) -> list[NewJson]:
        """By their definitions, and by what they run with."""
        return [holder_view(each) for each in self.holders_of(name)]


class HolderOf(_Family):
    """One of them."""

    address = "/host/devices/{name}/vmholders/{vm}"

    @get("A machine that has the device.", HOLDER, blocking=True, role=Role.VIEWER)
    def read(self, _call: Call, name: str, vm: str) -> NewJson:
        """And its state."""
        found = next((each for each in self.holders_of(name) if each.name == vm), None)
        if found is None:
            raise not_found("KCHHOST0003E", f"A machine {vm} that has the device {name}")
        return holder_view(found)


class HoldersAlias(Holders):
    """The same where Kimchi's own clients look for it."""

    address = "/host/devices/{name}/vm_holders"


class HolderOfAlias(HolderOf):
    """Likewise."""

    address = "/host/devices/{name}/vm_holders/{vm}"
