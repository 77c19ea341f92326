"""The host's devices that a machine has for itself, in Kimchi's words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from api.http.schema import Schema, obj, text
from reconciler.observed.snapshot import Observed
from specs.host import Host
from specs.plain import NewJson
from specs.virtualmachine import KIND as MACHINES
from specs.virtualmachine.devices.hostdevices import ADDRESS

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredHostDevice

_FIELDS: Final = {
    "name": text("Its name among the host's devices, by which this API knows it.", examples=["pci_0000_00_19_0"]),
    "type": text("pci, usb or scsi.", enum=sorted(kind for kind, numbers in ADDRESS.items() if numbers)),
}
HOST_DEVICE: Final[Schema] = obj(_FIELDS, required=tuple(_FIELDS), title="Host device of a virtual machine")


def host_devices(observed: Observed, host: Host) -> dict[str, LoweredHostDevice]:
    """Those that the machine runs with, and those behind them that wait for its next start, by name.

    One that is known by its model alone, or that isn't plugged in and has no name now, is left out.
    """
    return dict(_named(observed, host))


def _named(observed: Observed, host: Host) -> Iterator[tuple[str, LoweredHostDevice]]:
    for spec in (observed.live, observed.config):
        for item in MACHINES.lowered(spec or {}).get("hostDevices") or ():
            if name := name_of(item, host):
                yield name, item


def host_device_view(name: str, item: LoweredHostDevice) -> NewJson:
    """One device."""
    return {"name": name, "type": item["type"]}


def name_of(item: LoweredHostDevice, host: Host) -> str:
    """The name of the host's device at an observed address; empty when nothing is there that could have one."""
    address = dict(item["numbers"])
    for name, device in host.node_devices.items():
        if device.kind == item["type"] and dict(device.address) == address:
            return name
    numbers = {key: number for key, number in address.items() if number is not None}
    if item["type"] == "pci" and len(numbers) == len(address):
        return "pci_{domain:04x}_{bus:02x}_{slot:02x}_{function:x}".format(**numbers)
    return ""
