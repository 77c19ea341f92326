"""The host devices that a machine has for itself, in libvirt's XML. Each is known by its address on the host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from specs.binding import Element, Field, Items, child_at, text_at, value_at
from specs.codecs import INTEGER
from specs.declared import mapping
from specs.declared_binds import completed
from specs.effect import Effect
from specs.virtualmachine.devices.hostdevice_fields import HOW
from specs.virtualmachine.storage.drives import allow_usb

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredHostDevice, LoweredVirtualMachine

# The numbers of an address, by kind, in the order in which a device's name has them.
ADDRESS = {
    "pci": ("domain", "bus", "slot", "function"),
    "usb": ("bus", "device"),
    "scsi": ("host", "bus", "target", "lun"),
    "mdev": (),
    "scsi_host": (),
}
KINDS = {
    "usb": "usb",
    "mdev": "mdev",
    "vhost": "scsi_host",
}  # by the field that says what has no numbers
_ADAPTER = "scsi_host"
HOW_BINDS: Final = completed(mapping("How a machine has a device of the host.", HOW))


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


def _is_by_number(declared: LoweredHostDevice, _observed: LoweredHostDevice) -> bool:
    return not declared.get("known")


def _known(device: Element) -> str | None:
    """What it is known by that has no numbers: the models of USB, mediated devices and vhost targets."""
    source = device.find("source")
    if source is None:
        return None
    if device.get("type") == "mdev":
        return (text_at(source, "address/@uuid") or "").lower() or None
    if device.get("type") == "scsi_host":
        return (source.get("wwpn") or "").lower() or None
    vendor, product = (INTEGER.decode(text_at(source, f"{each}/@id") or "") for each in ("vendor", "product"))
    return None if vendor is None or product is None else f"{vendor:04x}:{product:04x}"


def _label(item: LoweredHostDevice) -> str:
    if known := item.get("known"):
        return f"{item['type']}:{known}"
    numbers = [number for key in ADDRESS[item["type"]] if (number := item["numbers"].get(key)) is not None]
    if len(numbers) < len(ADDRESS[item["type"]]):
        return f"{item['type']}:unknown"
    if item["type"] == "pci":
        return "pci_{:04x}_{:02x}_{:02x}_{:x}".format(*numbers)
    if item["type"] == "scsi":
        return "scsi_{}_{}_{}_{}".format(*numbers)
    return "usb:{}.{}".format(*numbers)  # not libvirt's name, which counts ports


def _build(item: LoweredHostDevice) -> Element:
    address, known = item["numbers"], item.get("known", "")
    device = etree.Element("hostdev", mode="subsystem", type=item["type"])
    if item["type"] == "mdev":
        device.set("model", item.get("model", "vfio-pci"))
    elif item["type"] != "scsi_host":
        device.set("managed", "yes")
    source = etree.SubElement(device, "source")
    _build_source(source, item["type"], known, address)
    for field in HOW_BINDS:
        value = value_at(item, field.name)
        if value is not None and not field.equal(value, field.read(device)):
            field.write(device, value)
    return device


def _build_source(source: Element, kind: str, known: str, address: Mapping[str, int | None]) -> None:
    if kind == "mdev":
        etree.SubElement(source, "address", uuid=known)
        return
    if kind == "scsi_host":
        source.set("protocol", "vhost")
        source.set("wwpn", known)
        return
    if known:
        vendor, _, product = known.partition(":")
        etree.SubElement(source, "vendor", id=f"0x{vendor}")
        etree.SubElement(source, "product", id=f"0x{product}")
        return
    if kind == "scsi":
        etree.SubElement(source, "adapter", name=f"{_ADAPTER}{address['host']}")
        numbers = {"bus": address["bus"], "target": address["target"], "unit": address["lun"]}
    else:
        numbers = {key: address[key] for key in ADDRESS[kind]}
    place = etree.SubElement(source, "address")
    for key, number in numbers.items():
        place.set(key, f"{number:#04x}" if kind == "pci" else str(number))


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
    fields=(
        Field("type", "@type", effect=Effect.NEXT_BOOT),
        Field("numbers", get=_address, effect=Effect.NEXT_BOOT, comparable=_is_by_number),
        Field("known", get=_known, effect=Effect.NEXT_BOOT),
        *HOW_BINDS,
    ),
    identity=_identity,
    label=_label,
    build=_build,
    insert=_insert,
)
