"""A device of the host in Kimchi's words. Which fields it has besides its name is for its sort to say."""

from __future__ import annotations

from typing import Final

from api.http.schema import Schema, boolean, integer, obj, or_null, text
from reconciler.observed.device_holders import Holder
from reconciler.observed.host_devices import HostDevice
from specs.plain import NewJson


def _maker(what: str) -> NewJson:
    return obj(
        {
            "id": or_null(text(f"The {what}'s number, such as 0x8086.")),
            "description": or_null(text(f"The {what}'s name.")),
        },
        closed=False,
    )


_FIELDS: Final[dict[str, Schema]] = {
    "name": text("libvirt's name of it, which identifies it in this API.", examples=["pci_0000_00_19_0"]),
    "device_type": text("net, pci, scsi, scsi_host, storage, system, usb, usb_device or another word of libvirt's."),
    "path": text("Where it is in sysfs."),
    "parent": or_null(text("The device that it is on; null for the machine itself.")),
    "adapter": obj(
        {
            "type": text("fc_host, vport_ops or empty (scsi_host)."),
            "wwnn": text("World wide node name; empty unless it is a fibre channel one."),
            "wwpn": text("World wide port name; empty unless it is a fibre channel one."),
        },
        closed=False,
        description="Of a scsi_host.",
    ),
    "domain": integer("Of a pci device's address."),
    "bus": integer("Of the address of a pci, usb or scsi device."),
    "slot": integer("Of a pci device's address."),
    "function": integer("Of a pci device's address."),
    "vendor": _maker("vendor"),
    "product": _maker("product"),
    "vga3d": boolean("Whether a pci device is a 3D graphics card."),
    "iommuGroup": or_null(integer("The number of a pci device's IOMMU group; null without IOMMU.")),
}
DEVICE: Final[Schema] = obj(_FIELDS, required=("name", "device_type"), closed=False, title="Device")

_HOLDER: Final = {"name": text("The machine's name."), "state": text("running, paused, shutoff, ...")}
HOLDER: Final[Schema] = obj(_HOLDER, required=tuple(_HOLDER), title="DeviceHolder")


def device_view(device: HostDevice) -> NewJson:
    """One device."""
    return device.told() | ({"vga3d": device.vga3d} if device.kind == "pci" else {})


def holder_view(holder: Holder) -> NewJson:
    """A machine that has it."""
    return {"name": holder.name, "state": holder.state}
