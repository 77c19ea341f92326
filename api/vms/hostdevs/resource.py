"""/vms/{name}/hostdevs: devices of the host that a machine has for itself. Giving and taking them are commits.

A PCI device goes together with all of its IOMMU group: the hardware keeps no two of a group apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from api.http.endpoint import Call, delete, get, post
from api.http.isolated import isolated
from api.http.refusal import bad, not_found
from api.http.schema import arr, obj, text
from api.vms.devices import Listed, MachineDevices
from api.vms.hostdevs.view import HOST_DEVICE, host_device_view, host_devices, name_of
from reconciler.errors import NotFound
from reconciler.identity.role import Role
from reconciler.observed.device_holders import holders
from reconciler.observed.host_devices import HostDevice, HostDevices
from reconciler.observed.snapshot import Observed
from specs.plain import NewJson

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredHostDevice

LISTED: Final = "hostDevices"
_NOT_ELIGIBLE: Final = "KCHVMHDEV0002E"
_PCI: Final = "pci"

_CREATE = obj(
    {
        "name": text(
            "The host's device, as /host/devices names it. A PCI device brings along all of its IOMMU group.",
            pattern="^[_A-Za-z0-9-]+$",
            x_code="KCHVMHDEV0004E",
        )
    },
    required=("name",),
    closed=False,
    x_code="KCHVMHDEV0004E",
)


class _Family(MachineDevices):
    def all(self, observed: Observed) -> dict[str, LoweredHostDevice]:
        return host_devices(observed, self.serving.world.snapshot.host)

    def one(self, observed: Observed, dev: str) -> NewJson:
        item = self.all(observed).get(dev)
        if item is None:
            raise not_found("KCHVMHDEV0001E", f"The host device {dev} of {observed.ref.name}")
        return host_device_view(dev, item)


class MachineHostDevices(_Family):
    """All host devices of a machine."""

    address = "/vms/{name}/hostdevs"

    @get("The host's devices that a machine has.", arr(HOST_DEVICE), filters=True, role=Role.VIEWER)
    def read(self, _call: Call, name: str) -> list[NewJson]:
        """Those that it runs with, or would start with."""
        return isolated(
            self.all(self.machine(name)).items(), lambda found: host_device_view(*found), lambda found: found[0]
        )

    @post(
        "Give a device of the host to a machine, a PCI device with all of its IOMMU group.",
        HOST_DEVICE,
        _CREATE,
        failure="KCHVMHDEV0007E",
        role=Role.ADMIN,
    )
    def attach(self, call: Call, name: str) -> NewJson:
        """Its document lists the devices from now on."""
        observed, dev = self.machine(name), str(call.body["name"])
        known = self.serving.hypervisor.devices()
        device = known.get(dev)
        if device is None or not known.is_eligible(device):
            raise bad(_NOT_ELIGIBLE, f"{dev} can't be given to a machine; /host/devices?_passthrough=true has those.")
        if device.kind == _PCI and device.iommu_group is None:
            raise bad(
                "KCHVMHDEV0003E",
                "This host has no IOMMU groups, which PCI passthrough needs; switch the IOMMU on in its firmware and "
                "on its kernel's command line.",
            )
        if dev in self.all(observed):
            raise bad(_NOT_ELIGIBLE, f"{name} has {dev} already.")
        self._check_free(observed, device)
        self.check_pluggable(observed)
        names = [each.name for each in together(device, known)]

        def change(listed: Listed) -> None:
            there = {item.get("device") for item in listed.items}
            listed.items += [{"device": each} for each in names if each not in there]

        world = self.change_list(call, observed, LISTED, change, f"Give {dev} to")
        now = self.observed(world, observed.ref)
        if dev not in self.all(now):
            raise self.not_there(world, "the device")
        host = world.snapshot.host
        self.check_running(observed.ref, LISTED, lambda item: name_of(item, host) == dev, there=True)
        return self.one(now, dev)

    def _check_free(self, observed: Observed, device: HostDevice) -> None:
        """Raises Refusal 400 for a device that another machine runs with. One that is off may want it too."""
        if not observed.active:
            return
        snapshot = self.serving.world.snapshot
        running = [each.name for each in holders(device, snapshot) if each.state not in ("shutoff", "crashed")]
        if running:
            raise bad(_NOT_ELIGIBLE, f"{device.name} is in use by {', '.join(running)}; take it away there first.")


class MachineHostDevice(_Family):
    """One host device of a machine."""

    address = "/vms/{name}/hostdevs/{dev}"

    @get("A host device of a machine.", HOST_DEVICE, role=Role.VIEWER)
    def read(self, _call: Call, name: str, dev: str) -> NewJson:
        """As it was observed last."""
        return self.one(self.machine(name), dev)

    @delete(
        "Take a device of the host away from a machine, a PCI device with all of its IOMMU group.",
        failure="KCHVM0008E",
        role=Role.ADMIN,
    )
    def take_away(self, call: Call, name: str, dev: str) -> None:
        """Its document doesn't list the devices any more."""
        observed = self.machine(name)
        self.one(observed, dev)
        self.check_pluggable(observed)
        known = self.serving.hypervisor.devices()
        device = known.get(dev)
        names = {dev} | ({each.name for each in together(device, known)} if device is not None else set())
        host = self.serving.world.snapshot.host

        def change(listed: Listed) -> None:
            listed.items = [item for item in listed.items if item.get("device") not in names]

        self.change_list(call, observed, LISTED, change, f"Take {dev} from")

        def is_meant(item: LoweredHostDevice) -> bool:
            return name_of(item, host) in names

        self.detach_undeclared(call, observed.ref, LISTED, is_meant)
        self.check_running(observed.ref, LISTED, is_meant, there=False)


def together(device: HostDevice, known: HostDevices) -> list[HostDevice]:
    """The device and, for a PCI device, what of its IOMMU group a machine can be given; by name."""
    if device.kind != _PCI:
        return [device]
    try:
        tied = known.affected_by(device.name)
    except NotFound:  # unplugged since
        tied = ()
    others = [each for each in tied if each.kind == _PCI and known.is_eligible(each)]
    return sorted([device, *others], key=lambda each: each.name)
