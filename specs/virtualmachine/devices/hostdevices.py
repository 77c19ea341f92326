"""The host devices that a machine has for itself, in libvirt's XML. Each is known by its address on the host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from lxml import etree

from specs.binding import Element, Field, Items, child_at
from specs.codecs import INTEGER
from specs.effect import Effect
from specs.virtualmachine.storage.drives import allow_usb

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredHostDevice, LoweredVirtualMachine

# The numbers of an address, by kind, in the order in which a device's name has them.
ADDRESS = {
    "pci": ("domain", "bus", "slot", "function"),
    "usb": ("bus", "device"),
    "scsi": ("host", "bus", "target", "lun"),
}
_ADAPTER = "scsi_host"


def _elements(root: Element) -> Iterator[Element]:
    return (
        device
        for device in root.iterfind("devices/hostdev")
        if device.get("mode") == "subsystem" and device.get("type") in ADDRESS
    )


def _address(device: Element) -> Mapping[str, int | None]:
    address = device.find("source/address")
    numbers = {} if address is None else {str(key): INTEGER.decode(str(value)) for key, value in address.attrib.items()}
    adapter = device.find("source/adapter")
    if device.get("type") == "scsi":
        name = "" if adapter is None else adapter.get("name") or ""
        numbers |= {"host": INTEGER.decode(name.removeprefix(_ADAPTER)), "lun": numbers.get("unit")}
    return {key: numbers.get(key) for key in ADDRESS[str(device.get("type"))]}


def _label(item: LoweredHostDevice) -> str:
    numbers = [number for key in ADDRESS[item["type"]] if (number := item["address"].get(key)) is not None]
    if len(numbers) < len(ADDRESS[item["type"]]):
        return f"{item['type']}:unknown"
    if item["type"] == "pci":
        return "pci_{:04x}_{:02x}_{:02x}_{:x}".format(*numbers)
    if item["type"] == "scsi":
        return "scsi_{}_{}_{}_{}".format(*numbers)
    return "usb:{}.{}".format(*numbers)  # not libvirt's name, which counts ports


def _build(item: LoweredHostDevice) -> Element:
    address = item["address"]
    device = etree.Element("hostdev", mode="subsystem", type=item["type"], managed="yes")
    source = etree.SubElement(device, "source")
    if item["type"] == "scsi":
        etree.SubElement(source, "adapter", name=f"{_ADAPTER}{address['host']}")
        numbers = {"bus": address["bus"], "target": address["target"], "unit": address["lun"]}
    else:
        numbers = {key: address[key] for key in ADDRESS[item["type"]]}
    place = etree.SubElement(source, "address")
    for key, number in numbers.items():
        place.set(key, f"{number:#04x}" if item["type"] == "pci" else str(number))
    return device


def _insert(root: Element, item: LoweredHostDevice, _declared: LoweredVirtualMachine) -> Element:
    device = _build(item)
    child_at(root, "devices").append(device)
    if item["type"] == "usb":
        allow_usb(root)
    return device


def _identity(item: LoweredHostDevice) -> Any:
    return _label(item)


HOST_DEVICES = Items(
    "hostDevices",
    elements=_elements,
    parent="devices",
    fields=(Field("type", "@type", effect=Effect.NEXT_BOOT), Field("address", get=_address, effect=Effect.NEXT_BOOT)),
    identity=_identity,
    label=_label,
    build=_build,
    insert=_insert,
)
