"""What a document may say about each of a machine's drives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import (
    BESIDE,
    GONE,
    IN_CODE,
    Declared,
    exactly_one,
    has,
    items,
    mapping,
    never,
    number,
    shared,
    text,
    word,
    yes_no,
)
from specs.effect import Effect
from specs.notations import ABSOLUTE_PATH, NAME, SIZE, URL, VOLUME_REFERENCE
from specs.virtualmachine.devices.place_fields import PLACE
from specs.virtualmachine.storage.controller_fields import CONTROLLERS
from specs.virtualmachine.storage.driver_fields import (
    CDROM_DRIVER,
    DISK_TRAITS,
    DRIVER,
    PRODUCT,
    SERIAL,
    STARTUP_POLICY,
    VENDOR,
    WWN,
)
from specs.virtualmachine.storage.floppy_fields import floppies
from specs.virtualmachine.storage.limit_fields import IO_BURSTS, IO_LIMITS
from specs.virtualmachine.storage.source_fields import DISK_SOURCES, OF_NEW_VOLUMES, ONE_SOURCE

# Where a drive's data is: see `sources`.
SOURCE = shared(
    "source",
    mapping(
        "A file, a block device, a volume of a pool, or a URL; empty without a medium.",
        {
            "file": text("Path of an image."),
            "dev": text("Path of a block device."),
            "pool": text("The volume's pool."),
            "volume": text("The volume's name."),
            "url": text("Address of an image."),
            "network": mapping(
                "Storage that QEMU reaches by a protocol of its own.",
                {
                    "protocol": text("The protocol."),
                    "name": text("Its name there."),
                    "hosts": items("The servers.", text()),
                },
                required=("protocol", "name", "hosts"),
            ),
            "nvme": mapping(
                "A namespace of an NVMe controller.",
                {"device": text("The controller."), "namespace": number("The namespace.", 1, 4294967295)},
                required=("device", "namespace"),
            ),
            "vhostUser": text("The socket of a vhost-user server."),
            "path": text("Where the volume is now, if that belongs to this host's present sessions."),
            "format": text("Image format, of a volume that is known."),
            "above": items("Files in which the data goes on.", text()),
            "backing": items("Paths below a snapshot's overlay.", text()),
        },
    ),
)


NEW_OR_EXISTING = (
    exactly_one(
        "size",
        "volume",
        error="A disk is either a new volume (`size`) or an existing one (`volume`); write exactly one of the two.",
    ),
    never(
        has("volume", "base"),
        "`base` is for a new volume (`size`); an existing `volume` keeps the backing image that it "
        "has, so remove one of the two.",
    ),
)


DISK = mapping(
    "A disk: a new volume (`size`), an existing one (`volume`), or what else of the host or the network it is.",
    {
        "name": NAME.but(
            "Tells the machine's disks apart and becomes part of a new volume's name. A disk "
            "whose name alone changes keeps its volume. Default: disk0; required as soon as a "
            "machine has two new volumes."
        ),
        "size": SIZE.but(
            "Capacity of a new volume: a number with its unit, such as 10GiB. It grows in place, "
            "also in a running machine; shrinking is refused.",
            examples=("20GiB",),
            effect=Effect.LIVE,
            at=BESIDE,
        ),
        "format": word(
            "Image format: of a new volume qcow2 or raw, of a `file` or the like the one that it has. Default: qcow2 "
            "for a new volume in a pool of files; for a `file` by its name's end; else raw.",
            "qcow2",
            "raw",
            "qcow",
            "qed",
            "vmdk",
            "vdi",
            "vpc",
            effect=Effect.FORBIDDEN,
        ),
        "pool": NAME.but(
            "The storage pool of the volume. It doesn't change: a disk that is to be in another "
            "pool is copied there, and then named by `volume`. Default: default.",
            default="default",
            effect=Effect.FORBIDDEN,
            at=BESIDE,
        ),
        "base": VOLUME_REFERENCE.but(
            "Backing image of a new volume, whose contents it starts from: `volume` in the same "
            "pool, or `pool/volume`. Default: none, an empty disk.",
            effect=Effect.FORBIDDEN,
            at=BESIDE,
        ),
        "volume": VOLUME_REFERENCE.but(
            "An existing or declared volume instead of a new one: `volume` in `pool`, or `pool/volume`."
        ),
        **DISK_SOURCES,
        "device": word(
            "How the guest may use it: as a `disk`, or as a `lun`, which also takes SCSI's own commands and is a "
            "`block` device, iSCSI, or a volume that is one; on the buses virtio and scsi. Default: disk.",
            "disk",
            "lun",
            effect=Effect.NEXT_BOOT,
            at="@device",
            absent="disk",
            default="disk",
        ),
        "bus": word(
            "How the guest sees the disk. Default: virtio.",
            "virtio",
            "scsi",
            "sata",
            "ide",
            "usb",
            default="virtio",
            effect=Effect.NEXT_BOOT,
        ),
        "bootOrder": number(
            "Place in the boot order, from 1; each place is taken once in a machine. Devices "
            "without one come after those that have one, in the order in which the machine "
            "booted from them before. Default: disks, CD-ROMs, network.",
            1,
            255,
            effect=Effect.NEXT_BOOT,
        ),
        "target": text(
            "Device name inside the machine's definition, such as vda. Default: chosen once, then kept.",
            "^(?:vd|sd|hd|xvd)[a-z]{1,3}$",
            error="A target is a device name such as vda, sdb or hdc; correct it, or leave it out and one is chosen.",
            effect=Effect.NEXT_BOOT,
        ),
        "ioLimits": IO_LIMITS.but(
            "How fast the guest may read and write; what isn't written here is unlimited. Default: left as it is."
        ),
        "readOnly": yes_no(
            "Whether the guest may only read it; then several machines may share the volume. Default: false.",
            default=False,
            effect=Effect.NEXT_BOOT,
        ),
        **IO_BURSTS,
        "driver": DRIVER,
        **DISK_TRAITS,
        **PLACE,
        "onLoss": word(
            "What to do when a new volume (`size`) was there and is gone from its pool: `hold` "
            "tells of it (`DataLost`) and keeps the machine from starting until the volume is "
            "back or a person approves a new one, `recreate` makes it again, empty or from its "
            "`base`, which is for scratch disks. Default: hold.",
            "hold",
            "recreate",
            default="hold",
            effect=Effect.LIVE,
            at=BESIDE,
        ),
    },
    lowered=mapping(
        "Its volume, or what else it is, as the place where it is.",
        {**dict.fromkeys(("volume", "file", "block", "url", "vhostUser"), GONE), "source": SOURCE},
        required=("source",),
    ),
    rules=(
        ONE_SOURCE,
        *OF_NEW_VOLUMES,
    ),
)


CDROM = mapping(
    "A CD-ROM drive; empty without a medium.",
    {
        "name": NAME.but(
            "Tells the machine's drives apart. A drive whose name changes keeps its medium. "
            "Default: cdrom0, cdrom1 and so on by position."
        ),
        "volume": VOLUME_REFERENCE.but(
            "The medium is a volume: `volume` in the pool default, or `pool/volume`.", effect=Effect.LIVE
        ),
        "path": ABSOLUTE_PATH.but(
            "The medium is a file of the host, in a folder of the setting allowed-folder; while there is none, no path "
            "is taken.",
            examples=("/var/lib/libvirt/images/debian-12.iso",),
            effect=Effect.LIVE,
        ),
        "url": URL.but(
            "The medium is read over http, https, ftp or ftps while the machine runs. Its server is on the Internet, "
            "or in a network of the setting allowed-network.",
            effect=Effect.LIVE,
        ),
        "bus": word(
            "How the guest sees the drive. Default: sata, or scsi on machines other than x86.",
            "sata",
            "scsi",
            "ide",
            "usb",
            effect=Effect.NEXT_BOOT,
        ),
        "bootOrder": number(
            "Place in the boot order, from 1; each place is taken once in a machine. Default: "
            "after those that have one, and after the disks.",
            1,
            255,
            effect=Effect.NEXT_BOOT,
        ),
        "target": text(
            "Device name inside the machine's definition, such as sda. Default: chosen once, then kept.",
            "^(?:sd|hd)[a-z]{1,3}$",
            error="A drive's target is a device name such as sda or hdc; correct it, or leave it "
            "out and one is chosen.",
            effect=Effect.NEXT_BOOT,
        ),
        "driver": CDROM_DRIVER,
        "serial": SERIAL,
        "wwn": WWN,
        "vendor": VENDOR,
        "product": PRODUCT,
        "startupPolicy": STARTUP_POLICY,
        "address": PLACE["address"],
    },
    lowered=mapping(
        "Its medium as the place where it is, and its name by position.",
        {"volume": GONE, "path": GONE, "url": GONE, "source": SOURCE},
        required=("name", "source"),
    ),
    rules=(
        never(
            {
                "anyOf": [
                    has("volume", "path"),
                    has("volume", "url"),
                    has("path", "url"),
                ]
            },
            "A drive holds at most one medium; keep one of `volume`, `path` and `url`.",
        ),
    ),
)


FLOPPIES = floppies(SOURCE)
FLOPPY = FLOPPIES.item or FLOPPIES

FIELDS: Final[Mapping[str, Declared]] = {
    "controllers": CONTROLLERS,
    "disks": items(
        "The disks. Adding and removing works in the running machine. One that leaves the "
        "list stays attached until `onggi approve` lets it go, and its volume stays even "
        "then. Default: none.",
        DISK,
        effect=Effect.LIVE,
        at=IN_CODE,
    ),
    "cdroms": items(
        "The CD-ROM drives. Changing a medium works in the running machine. Default: none.",
        CDROM,
        effect=Effect.LIVE,
        at=IN_CODE,
    ),
    "floppies": FLOPPIES,
}
