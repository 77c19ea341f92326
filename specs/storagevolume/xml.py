"""A StorageVolume in libvirt's XML: its binds, and what a new one starts with.

A volume is made once and then only grows: every other difference is refused, because healing it would cost data. What
the storage adds by itself — rounding, allocation, permissions, the format that libvirt finds in raw bytes — is never
drift.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxml import etree

from specs import canonical
from specs.binding import Bind, Element, Field, child_at
from specs.carried import carried
from specs.codecs import PATH, bytes_of
from specs.declared_binds import binder, complete
from specs.effect import Effect
from specs.host import Host
from specs.problem import Unrenderable
from specs.reference import Ref
from specs.storagevolume.fields import SPEC
from specs.storagevolume.model import told_format

if TYPE_CHECKING:
    from specs.storagevolume.spec import LoweredStorageVolume, StorageVolumeSpec

bind = binder(SPEC)

# Bytes without an image format. libvirt looks into them and says `iso` for a CD image, and has no word for a device.
_PLAIN = frozenset({"raw", "iso", "none", "unknown"})

# What the storage rounds a capacity up to. An LVM extent has 4 MiB by default and rarely more than 32; vpc counts in
# cylinders of up to 255 heads and 63 sectors; qcow2 and the others in the KiB that libvirt hands to qemu-img.
_BLOCK_UNIT = 64 << 20
_VPC_UNIT = 255 * 63 * 512
_FILE_UNIT = 1 << 10


class RoundedUp(int):
    """An observed capacity in bytes, which may be up to `unit` more than what was asked for."""

    unit: int = 1


def lower(declared: StorageVolumeSpec, *, name: str, uid: str, host: Host) -> LoweredStorageVolume:  # noqa: ARG001  (every kind's signature)
    """Capacity in bytes, and the backing volume as its path and format; `pool` and `source` stay for the skeleton.

    Raises Unrenderable for a backing volume that isn't known on this host.
    """
    lowered: LoweredStorageVolume = carried(SPEC, declared)
    if "capacity" in declared:
        lowered["capacity"] = _bytes(declared["capacity"])
    if "allocation" in declared:
        lowered["allocation"] = _bytes(declared["allocation"])
    if declared.get("preallocation") == "full" and "capacity" in lowered:
        lowered["allocation"] = lowered["capacity"]
    if (qcow2 := declared.get("qcow2")) is not None:
        made = carried(SPEC["qcow2"], qcow2)
        if "clusterSize" in qcow2:
            made["clusterSize"] = _bytes(qcow2["clusterSize"])
        lowered["qcow2"] = made
    if "encryption" in declared:
        encryption: Any = {"format": "luks", **declared["encryption"]}
        lowered["encryption"] = encryption
    image_format = lowered.pop("format", None)
    if image_format is not None and image_format not in _PLAIN:
        lowered["format"] = image_format
    elif image_format is not None and declared.get("pool") in host.pool_paths:
        lowered["format"] = "raw"  # only files have a format: libvirt refuses the word for a partition
    if "backingVolume" in declared:
        backing = Ref.volume_named(declared["backingVolume"], declared["pool"])
        source = host.volume_source(backing)
        if source is None:
            raise Unrenderable(
                f"The backing volume {backing.name} isn't on this host; declare it, or start and refresh its pool."
            )
        lowered["backingVolume"] = {"path": canonical.path(source.path), "format": source.format}
    return lowered


def _bytes(capacity: str) -> int:
    count = bytes_of(capacity)
    if count is None:
        raise Unrenderable(f"The capacity {capacity!r} isn't a size; write a number with a unit such as 10GiB.")
    return count


def skeleton(lowered: LoweredStorageVolume, *, name: str, uid: str, host: Host) -> Element:  # noqa: ARG001  (every kind's signature)
    """A new volume: qcow2 where volumes are files, unless its name or its source says otherwise. Never filled
    beforehand.
    """
    root = etree.Element("volume")
    etree.SubElement(root, "name").text = name
    if "capacity" not in lowered and "backingVolume" not in lowered:
        etree.SubElement(root, "capacity", {"unit": "bytes"}).text = "0"  # its source tells, once it is there
    if lowered.get("pool") in host.pool_paths:
        # Without this libvirt fills a raw file with zeros. A device has what it has: less would make a sparse LV.
        etree.SubElement(root, "allocation", {"unit": "bytes"}).text = str(lowered.get("allocation", 0))
        image_format = lowered.get("format") or told_format(name, lowered.get("source")) or "qcow2"
        etree.SubElement(child_at(root, "target"), "format").set("type", image_format)
    if (backing := lowered.get("backingVolume")) is not None:
        # Both are written, also a plain `raw`: without it QEMU would guess from the guest's own bytes.
        child_at(root, "backingStore/path").text = backing["path"]
        child_at(root, "backingStore/format").set("type", backing["format"])
    _as_it_is_made(root, lowered)
    return root


def _as_it_is_made(root: Element, lowered: LoweredStorageVolume) -> None:
    """What is only said of a new one: libvirt reads it from no volume, or what it reads is what became of that."""
    for key, value in lowered.get("permissions", {}).items():
        child_at(root, f"target/permissions/{key}").text = str(value)
    if "clusterSize" in lowered.get("qcow2", {}):
        _put_cluster_size(root, lowered["qcow2"]["clusterSize"])
    if lowered.get("noCopyOnWrite"):
        child_at(root, "target/nocow")
    if (encryption := lowered.get("encryption")) is None:
        return
    element = child_at(root, "target/encryption")
    reference = {key: str(value) for key, value in encryption["secret"].items()}
    etree.SubElement(element, "secret", {"type": "passphrase", **reference})
    for tag, said in (("cipher", encryption.get("cipher", {})), ("ivgen", encryption.get("ivgen", {}))):
        if said:
            etree.SubElement(element, tag, {key: str(value) for key, value in said.items()})


def _cluster_size(root: Element) -> int | None:
    element = root.find("target/clusterSize")
    return None if element is None else bytes_of(element.text or "", element.get("unit", "bytes"))


def _put_cluster_size(root: Element, count: int) -> None:
    element = child_at(root, "target/clusterSize")
    element.set("unit", "B")
    element.text = str(count)


def _same_or_untold(declared: Any, observed: Any) -> bool:
    """libvirt tells it of an image that it has looked into, and of others nothing."""
    return observed is None or bool(declared == observed)


def _capacity(root: Element) -> RoundedUp | None:
    element = root.find("capacity")
    count = None if element is None else bytes_of(element.text or "", element.get("unit", "bytes"))
    if count is None:
        return None
    capacity = RoundedUp(count)
    if root.get("type", "file") in ("block", "network"):
        capacity.unit = _BLOCK_UNIT
    else:
        capacity.unit = _VPC_UNIT if _format(root) == "vpc" else _FILE_UNIT
    return capacity


def _put_capacity(root: Element, count: int) -> None:
    element = child_at(root, "capacity")
    element.set("unit", "bytes")
    element.text = str(count)


def _same_capacity(declared: int, observed: RoundedUp | None) -> bool:
    return observed is not None and 0 <= observed - declared < observed.unit


def _resizing(old: int | None, new: int) -> Effect:
    """Live for more, also in a running machine; refused for less."""
    return Effect.FORBIDDEN if old is not None and new < old else Effect.LIVE


def _format(root: Element) -> str | None:
    element = root.find("target/format")
    return None if element is None else element.get("type")


def _same_format(declared: str, observed: str | None) -> bool:
    return declared == observed or {declared, observed or "raw"} <= _PLAIN


BINDS: tuple[Bind, ...] = complete(
    SPEC,
    (
        bind("capacity", get=_capacity, put=_put_capacity, same=_same_capacity, effect=_resizing),
        bind("format", "target/format/@type", same=_same_format),
        bind("qcow2/clusterSize", get=_cluster_size, put=_put_cluster_size, same=_same_or_untold),
        Field("encryption/format", "target/encryption/@format", effect=Effect.FORBIDDEN),
        Field("backingVolume/path", "backingStore/path", PATH, effect=Effect.FORBIDDEN),
        Field("backingVolume/format", "backingStore/format/@type", same=_same_format, effect=Effect.FORBIDDEN),
    ),
)
