"""A device's `<address>` in libvirt's XML, read and written as the text that documents have."""

from __future__ import annotations

from lxml import etree

from specs.binding import Element
from specs.virtualmachine.devices.address_text import OF_ZPCI, attributes, shown


def read_address(found: Element) -> str | None:
    """What an `<address>` says, in its one spelling; None for one that nobody knows."""
    said = {str(key): str(value) for key, value in found.attrib.items()}
    zpci = found.find("zpci")
    if zpci is not None:
        said |= {str(key): str(value) for key, value in zpci.attrib.items() if key in OF_ZPCI}
    return shown(said)


def address_of(device: Element) -> str | None:
    """The address of a device in a definition; None for none."""
    found = next(device.iterchildren("address"), None)
    return None if found is None else read_address(found)


def write_address(device: Element, text: str | None) -> None:
    """Give a device an address, or none."""
    for old in device.findall("address"):
        device.remove(old)
    if text is None:
        return
    said = dict(attributes(text))
    zpci = {key: said.pop(key) for key in OF_ZPCI if key in said}
    made = etree.SubElement(device, "address", said)
    if zpci:
        etree.SubElement(made, "zpci", zpci)
