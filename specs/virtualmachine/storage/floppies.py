"""The floppy drives of a virtual machine in libvirt's XML: each is known by its device name, and the medium changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lxml import etree

from specs.binding import Element, Field, Items, child_at, write_item
from specs.effect import Effect
from specs.virtualmachine.platform.boot import BOOT_ORDER, settle_boot_order
from specs.virtualmachine.storage.cdroms import put_medium
from specs.virtualmachine.storage.fields import FLOPPY
from specs.virtualmachine.storage.sources import image_format, read_source, same_source, write_source
from specs.virtualmachine.storage.traits import traits

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredFloppy, LoweredVirtualMachine


def _elements(root: Element) -> Iterator[Element]:
    return (disk for disk in root.iterfind("devices/disk") if disk.get("device") == "floppy")


def _insert(root: Element, item: LoweredFloppy, _declared: LoweredVirtualMachine) -> Element:
    drive = etree.SubElement(child_at(root, "devices"), "disk", type="file", device="floppy")
    etree.SubElement(drive, "driver", name="qemu", type=image_format(item["source"]))
    write_source(drive, item["source"])
    etree.SubElement(drive, "target", dev=item["target"], bus="fdc")
    write_item(FLOPPIES, drive, item)
    return drive


def _build(item: LoweredFloppy) -> Element:
    return _insert(etree.Element("domain"), item, {})


def _target(item: Any) -> str:
    return str(item.get("target") or "")


FLOPPIES = Items(
    "floppies",
    elements=_elements,
    parent="devices",
    fields=traits(FLOPPY, (Field("source", get=read_source, put=put_medium, same=same_source), BOOT_ORDER)),
    identity=_target,
    label=_target,
    build=_build,
    add_effect=Effect.NEXT_BOOT,
    remove_effect=Effect.NEXT_BOOT,
    insert=_insert,
    settle=settle_boot_order,
)
