"""The disks of a virtual machine in libvirt's XML. A disk is known by its data, never by its place in the list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lxml import etree

from specs.binding import Around, Element, Field, Items, child_at, write_item
from specs.bound import bound_to
from specs.declared_binds import binder
from specs.effect import Effect
from specs.virtualmachine.platform.boot import BOOT_ORDER, settle_boot_order
from specs.virtualmachine.storage.buses import NEVER_READ_ONLY
from specs.virtualmachine.storage.drives import BUS, TARGET, as_plain_disk, pair_by, place_on_bus, plug_effect
from specs.virtualmachine.storage.fields import DISK
from specs.virtualmachine.storage.iolimits import IO_LIMITS
from specs.virtualmachine.storage.source_binds import reservations, source_binds
from specs.virtualmachine.storage.sources import (
    exactly_same,
    image_format,
    read_source,
    same_source,
    text,
    write_source,
)
from specs.virtualmachine.storage.traits import traits

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredDisk, LoweredVirtualMachine

bind = binder(DISK)

DEFAULT_BUS = "virtio"


def _elements(root: Element) -> Iterator[Element]:
    return (disk for disk in root.iterfind("devices/disk") if disk.get("device", "disk") in ("disk", "lun"))


def _put_read_only(disk: Element, value: bool) -> None:
    for old in disk.findall("readonly"):
        disk.remove(old)
    if value:
        etree.SubElement(disk, "readonly")


def _refuse_read_only(value: bool, around: Around) -> str:
    bus = around.item.get("bus", "")
    if value and bus in NEVER_READ_ONLY:
        return f"no disk on the bus {bus} can be read-only; declare its `bus` as virtio, scsi or usb too"
    return ""


def _put_format(disk: Element, value: str) -> None:
    driver = child_at(disk, "driver")
    driver.set("name", driver.get("name") or "qemu")
    driver.set("type", value)
    if value != "raw":
        as_plain_disk(disk)


def _is_the_image_itself(disk: LoweredDisk, found: LoweredDisk) -> bool:
    """Not the overlay of a snapshot above it, whose format is its own: as another one QEMU would spoil it."""
    return exactly_same(disk["source"], found["source"])


def _match(declared: Sequence[LoweredDisk], observed: Sequence[LoweredDisk]) -> list[int | None]:
    return pair_by(
        (
            lambda disk, found: exactly_same(disk["source"], found["source"]),
            lambda disk, found: same_source(disk["source"], found["source"]),
        ),
        declared,
        observed,
    )


def _label(disk: LoweredDisk) -> str:
    source = disk["source"]
    return f"{source['pool']}/{source['volume']}" if "volume" in source else text(source)


def _known_as(disk: LoweredDisk, labels: frozenset[str]) -> str | None:
    """The `pool/volume` under which a disk was declared. Its path doesn't tell the pool, but the volume's name."""
    source = disk["source"]
    if (label := _label(disk)) in labels:
        return label
    names = {path.rpartition("/")[2] for path in (text(source), *source.get("backing", ()))}
    return next((label for label in sorted(labels) if label.partition("/")[2] in names), None)


def _insert(root: Element, item: LoweredDisk, declared: LoweredVirtualMachine) -> Element:
    disk = etree.SubElement(child_at(root, "devices"), "disk", type="file", device="disk")
    source = item["source"]
    kind = item.get("format") or image_format(source)
    etree.SubElement(disk, "driver", name="qemu", type=kind)
    if declared.get("defaults") != "libvirt" and "vhostUser" not in source:  # whose server decides that
        child_at(disk, "driver").set("discard", "unmap")
    write_source(disk, source)
    place_on_bus(root, disk, item.get("bus", DEFAULT_BUS), item.get("target", ""), declared)
    write_item(DISKS, disk, item)
    return disk


def _build(item: LoweredDisk) -> Element:
    return _insert(etree.Element("domain"), item, {})


def _identity(item: LoweredDisk) -> Any:
    return text(item["source"])


DISKS = Items(
    "disks",
    elements=_elements,
    parent="devices",
    fields=traits(
        DISK,
        (
            Field("source", get=read_source, put=write_source, same=same_source, effect=Effect.NEXT_BOOT),
            *source_binds(DISK),
            reservations(DISK),
            BUS,
            TARGET,
            Field(
                "format",
                "driver/@type",
                effect=Effect.NEXT_BOOT,
                put=_put_format,
                missing="raw",
                comparable=_is_the_image_itself,
                bound=(
                    bound_to({"qcow2"}, "driver/metadata_cache"),
                    bound_to({"qcow2", "qed", "vmdk"}, "backingStore"),
                ),
            ),
            bind(
                "readOnly",
                get=lambda disk: disk.find("readonly") is not None,
                put=_put_read_only,
                refuses=_refuse_read_only,
            ),
            IO_LIMITS,
            BOOT_ORDER,
        ),
    ),
    identity=_identity,
    label=_label,
    build=_build,
    add_effect=plug_effect(DEFAULT_BUS),
    remove_effect=plug_effect(DEFAULT_BUS),
    match=_match,
    insert=_insert,
    known_as=_known_as,
    settle=settle_boot_order,
)
