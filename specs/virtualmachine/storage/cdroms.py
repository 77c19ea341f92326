"""The CD-ROM drives of a virtual machine in libvirt's XML: the drive stays, the medium changes.

A drive that onggi adds carries its declared name in a user alias, which libvirt keeps for its owner: with it a drive is
found again whatever medium is in it, and one that is no longer declared is known to be onggi's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lxml import etree

from specs.binding import Element, Field, Items, child_at, write_item
from specs.codecs import Codec
from specs.effect import Effect
from specs.virtualmachine.platform.boot import BOOT_ORDER, settle_boot_order
from specs.virtualmachine.storage.drives import BUS, TARGET, pair_by, place_on_bus, plug_effect
from specs.virtualmachine.storage.fields import CDROM
from specs.virtualmachine.storage.sources import image_format, read_source, same_source, text, write_source
from specs.virtualmachine.storage.traits import traits

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredCdrom, LoweredSource, LoweredVirtualMachine

DEFAULT_BUS = "sata"
SEED_BUS = "scsi"  # a new seed's drive, on virtio-scsi: kernels made for clouds have no driver for SATA, IDE or USB
SEED_DRIVE = "seed"  # the drive that the resolver makes of a document's cloudInit
SEED_PREFIX = "onggi-seed-"  # how a seed's volume is named: see seed.py
_ALIAS = "ua-onggi-cdrom-"
_BY_POSITION = re.compile(r"cdrom\d+")


def _elements(root: Element) -> Iterator[Element]:
    return (disk for disk in root.iterfind("devices/disk") if disk.get("device") == "cdrom")


def put_medium(drive: Element, source: LoweredSource) -> None:
    """Put a medium in, or take it out."""
    write_source(drive, source)
    driver = drive.find("driver")
    if driver is not None and source:
        driver.set("type", image_format(source))


def _is_seed(found: LoweredCdrom) -> bool:
    name = text(found["source"]).rpartition("/")[2]
    return found.get("name") == SEED_DRIVE or name.startswith(SEED_PREFIX)


def seed_drive(drives: Iterable[LoweredCdrom]) -> LoweredCdrom | None:
    """The one of observed drives that holds cloud-init's seed, if there is one."""
    return next((drive for drive in drives if _is_seed(drive)), None)


def _alias_word(name: str) -> str:
    """A declared name as an alias may have it."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)


def _same_target(drive: LoweredCdrom, found: LoweredCdrom) -> bool:
    return "target" in drive and drive["target"] == found.get("target")


def _same_chosen_name(drive: LoweredCdrom, found: LoweredCdrom) -> bool:
    return not _BY_POSITION.fullmatch(drive["name"]) and _same_name(drive, found)


def _same_name(drive: LoweredCdrom, found: LoweredCdrom) -> bool:
    return _alias_word(drive["name"]) == found.get("name")


def _both_seeds(drive: LoweredCdrom, found: LoweredCdrom) -> bool:
    return drive["name"] == SEED_DRIVE and _is_seed(found)


def _same_medium(drive: LoweredCdrom, found: LoweredCdrom) -> bool:
    return bool(drive["source"]) and same_source(drive["source"], found["source"])


def _ours_left(drive: LoweredCdrom, found: LoweredCdrom) -> bool:
    return "name" in found and _any_left(drive, found)


def _any_left(drive: LoweredCdrom, found: LoweredCdrom) -> bool:
    # A declared drive takes over one that was there before, so that adopting a machine doesn't add a second one.
    return "target" not in drive and drive["name"] != SEED_DRIVE and not _is_seed(found)


_RULES = (_same_target, _same_chosen_name, _both_seeds, _same_medium, _same_name, _ours_left, _any_left)


def _match(declared: Sequence[LoweredCdrom], observed: Sequence[LoweredCdrom]) -> list[int | None]:
    # NOTE: names by position move up when an earlier drive leaves, so they decide only after the medium did.
    return pair_by(_RULES, declared, observed)


def _label(drive: LoweredCdrom) -> str:
    return str(drive.get("name") or drive.get("target") or "")


def _known_as(drive: LoweredCdrom, _labels: frozenset[str]) -> str | None:
    return drive.get("name")


def _insert(root: Element, item: LoweredCdrom, declared: LoweredVirtualMachine) -> Element:
    drive = etree.SubElement(child_at(root, "devices"), "disk", type="file", device="cdrom")
    etree.SubElement(drive, "driver", name="qemu", type=image_format(item["source"]))
    write_source(drive, item["source"])
    place_on_bus(root, drive, item.get("bus") or _default_bus(root, item["name"]), item.get("target", ""), declared)
    etree.SubElement(drive, "readonly")
    if declared.get("defaults") != "libvirt" or item["name"] == SEED_DRIVE:  # else it is found as one of others' is
        etree.SubElement(drive, "alias", name=_free_alias(root, item["name"]))
    write_item(CDROMS, drive, item)
    return drive


def _default_bus(root: Element, name: str) -> str:
    if name == SEED_DRIVE:
        return SEED_BUS
    system = root.find("os/type")
    arch = (None if system is None else system.get("arch")) or "x86_64"
    return DEFAULT_BUS if arch in ("x86_64", "i686") else "scsi"


def _free_alias(root: Element, name: str) -> str:
    taken = {alias.get("name") for alias in root.iterfind("devices/*/alias")}
    alias, number = first, _ = _ALIAS + _alias_word(name), 1
    while alias in taken:
        number += 1
        alias = f"{first}-{number}"
    return alias


def _build(item: LoweredCdrom) -> Element:
    return _insert(etree.Element("domain"), item, {})


def _identity(item: LoweredCdrom) -> Any:
    return item["name"]


_on_bus = plug_effect(DEFAULT_BUS)
_on_seed_bus = plug_effect(SEED_BUS)


def _plugging(old: LoweredCdrom | None, new: LoweredCdrom | None) -> Effect:
    """Live for a drive with a medium on the buses scsi and usb; next boot for an empty one, and on the others."""
    empty = new is not None and not new.get("source")  # libvirt can't plug one in: QEMU would be given no file
    is_seed = new is not None and new["name"] == SEED_DRIVE
    return Effect.NEXT_BOOT if empty else (_on_seed_bus if is_seed else _on_bus)(old, new)


_NAME = Codec(
    decode=lambda alias: alias.removeprefix(_ALIAS) if alias.startswith(_ALIAS) else None,
    encode=lambda name: _ALIAS + _alias_word(name),
)

CDROMS = Items(
    "cdroms",
    elements=_elements,
    parent="devices",
    fields=traits(
        CDROM,
        (
            Field("name", "alias/@name", _NAME, same=lambda _declared, _observed: True),
            Field("source", get=read_source, put=put_medium, same=same_source),
            BUS,
            TARGET,
            BOOT_ORDER,
        ),
    ),
    identity=_identity,
    label=_label,
    build=_build,
    add_effect=_plugging,
    remove_effect=_on_bus,
    match=_match,
    insert=_insert,
    known_as=_known_as,
    settle=settle_boot_order,
)
