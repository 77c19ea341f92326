"""A disk, or a part of one, in Kimchi's words."""

from __future__ import annotations

from typing import Final

from api.http.schema import Schema, boolean, obj, text
from reconciler.host.partitions import Partition
from specs.plain import NewJson

_PARTITION: Final = {
    "name": text("Identifies the partition in this API.", examples=["sda1"]),
    "path": text("Its device."),
    "type": text("part, disk, mpath or another word of lsblk's."),
    "fstype": text("Its file system; empty without one."),
    "size": text("In bytes.", examples=["10737418240"]),
    "mountpoint": text("Where it is mounted; empty when it isn't."),
    "available": boolean("Whether nobody uses it, so that a pool may be made on it."),
}
PARTITION: Final[Schema] = obj(_PARTITION, required=tuple(_PARTITION), title="Partition")


def partition_view(partition: Partition) -> NewJson:
    """A disk, or a part of one."""
    return {key: getattr(partition, key) for key in _PARTITION}
