"""What a bus can't do, for validation as for planning: two sentences shouldn't differ about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NEVER_READ_ONLY: Final = frozenset({"sata", "ide"})  # QEMU's disks there can only be written to as well

_VIRTIO: Final = frozenset({"virtio"})
_SCSI: Final = frozenset({"scsi"})
# What libvirt takes of a drive on these buses alone, by a document's words.
ONLY_ON: Final[Mapping[str, frozenset[str]]] = {
    **{f"driver/{name}": _VIRTIO for name in ("ioThread", "queues", "queueSize", "ioeventfd", "eventIdx")},
    **{f"driver/{name}": _VIRTIO for name in ("iommu", "ats", "packed", "pagePerVq")},
    "model": _VIRTIO,
    "vendor": _SCSI,
    "product": _SCSI,
    "wwn": frozenset({"scsi", "ide"}),
    "rotationRate": frozenset({"scsi", "sata", "ide"}),
    "removable": frozenset({"usb"}),
    "geometry": frozenset({"virtio", "scsi", "sata", "ide"}),
    "geometry/translation": frozenset({"ide"}),
}


def lacks_ide(machine: str) -> bool:
    """True for a machine type without IDE."""
    return "q35" in machine
