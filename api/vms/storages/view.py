"""A machine's disks and CD-ROM drives in Kimchi's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from api.http.schema import Schema, obj, text
from api.vms.devices import devices
from reconciler.observed.snapshot import Observed
from specs.host import Host
from specs.plain import NewJson
from specs.reference import Ref
from specs.virtualmachine.storage.sources import image_format
from specs.virtualmachine.storage.sources import text as source_text

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredCdrom, LoweredDisk, LoweredSource

    Drive = LoweredDisk | LoweredCdrom

DISK, CDROM = "disk", "cdrom"
LISTS: Final[Mapping[str, str]] = {DISK: "disks", CDROM: "cdroms"}

_FIELDS: Final = {
    "dev": text("Its device name in the machine, by which this API knows it.", examples=["vda"]),
    "type": text("disk or cdrom.", enum=[DISK, CDROM]),
    "path": text("The image or device on the host, or the address of a CD-ROM's image; empty without a medium."),
    "format": text("How the data is kept: raw, qcow2, ...", examples=["qcow2"]),
    "bus": text("How the guest sees it: virtio, scsi, sata, ide, usb, ...", examples=["virtio"]),
}
STORAGE: Final[Schema] = obj(_FIELDS, required=tuple(_FIELDS), title="Storage of a virtual machine")

_PORTS: Final = {"http": 80, "https": 443, "ftp": 21, "ftps": 990, "tftp": 69}


def storages(observed: Observed) -> Iterator[tuple[str, Drive]]:
    """(disk or cdrom, the drive) for each that the machine has."""
    for kind, listed in LISTS.items():
        for item in devices(observed, listed, "target"):
            yield kind, item


def find_storage(observed: Observed, dev: str) -> tuple[str, Drive] | None:
    """The drive of this device name."""
    return next(((kind, item) for kind, item in storages(observed) if item["target"] == dev), None)


def storage_view(kind: str, item: Drive, host: Host) -> NewJson:
    """One drive."""
    source = item.get("source") or {}
    return {
        "dev": item["target"],
        "type": kind,
        "path": _path(source, host),
        "format": str(item.get("format") or image_format(source)),
        "bus": str(item.get("bus") or ""),
    }


def _path(source: LoweredSource, host: Host) -> str:
    if "url" in source:
        return _with_port(str(source["url"]))
    if "volume" in source and not source.get("file") and not source.get("dev"):
        known = host.volumes.get(Ref.volume(str(source.get("pool") or ""), str(source["volume"])))
        if known is not None:
            return known.path
    return source_text(source)


def _with_port(url: str) -> str:
    """The address with its port written out, as Kimchi's clients know it."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:  # somebody else's, and odd
        return url
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path}{query}"
