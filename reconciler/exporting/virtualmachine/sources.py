"""What a document says of where a drive's data is: a volume by its pool, and all else by its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reconciler.exporting.draft import Surroundings
from specs.declared_binds import sayable
from specs.plain import NewSpec
from specs.virtualmachine.storage.fields import DISK, FLOPPY
from specs.virtualmachine.storage.source_fields import SOURCE_NAMES
from specs.virtualmachine.storage.sources import image_format
from specs.yaml_values import is_printable

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredDisk, LoweredFloppy, LoweredSource


def said_disk(disk: LoweredDisk, around: Surroundings) -> NewSpec | None:
    """Of a disk what it is, and all that paths say of it; None for one that no document has a word for."""
    source = disk.get("source") or {}
    item = _source(source, around)
    if item is None:
        return None
    if "volume" not in item and (kind := disk.get("format")) and kind != image_format(source):
        item["format"] = kind
    for name, value in sayable(DISK, disk).items():
        if name not in SOURCE_NAMES:
            item[name] = value
        elif name in item and isinstance(value, Mapping):
            item[name] = {**item[name], **value}
    return item


def said_floppy(floppy: LoweredFloppy, around: Surroundings) -> NewSpec:
    """Of a floppy drive what is in it, and all that paths say of it."""
    source, item = floppy.get("source") or {}, sayable(FLOPPY, floppy)
    if (volume := around.volume_of(source)) is not None:
        item["volume"] = volume.name
    elif (path := source.get("file")) and is_printable(path):
        item["path"] = path
    return item | ({"bootOrder": floppy["bootOrder"]} if "bootOrder" in floppy else {})


def _source(source: LoweredSource, around: Surroundings) -> NewSpec | None:
    if (volume := around.volume_of(source)) is not None:
        return {"volume": volume.name}
    if path := source.get("file"):
        return {"file": path} if is_printable(path) else None
    if path := source.get("dev"):
        return {"block": path} if path.startswith("/dev/") and is_printable(path) else None
    if "url" in source:
        return {"url": source["url"]}
    if "network" in source:
        return {"network": _network(source["network"])}
    if "nvme" in source:
        return {"nvme": dict(source["nvme"])}
    return {"vhostUser": source["vhostUser"]} if "vhostUser" in source else None


def _network(place: Any) -> NewSpec:
    said: NewSpec = {"protocol": place["protocol"]}
    if place["name"]:
        said["name"] = place["name"]
    hosts = list(place["hosts"])
    if len(hosts) == 1 and hosts[0].startswith("unix:"):
        said["socket"] = hosts[0].removeprefix("unix:")
    elif hosts:
        said["hosts"] = hosts
    return said
