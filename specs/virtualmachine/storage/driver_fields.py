"""What a document may say about how QEMU opens a drive's data and hands it on to the guest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import Declared, mapping, number, on_off, present, text, word
from specs.effect import Effect
from specs.notations import SIZE
from specs.virtualmachine.devices.common_fields import VIRTIO_OPTIONS

_OPENED: Final[Mapping[str, Declared]] = {
    "cache": word(
        "How the host's page cache is used: `none` goes past it, `unsafe` never flushes and is for data that may be "
        "lost. Default: default, which QEMU takes for writeback.",
        "default",
        "none",
        "writeback",
        "writethrough",
        "directsync",
        "unsafe",
        effect=Effect.NEXT_BOOT,
        at="driver/@cache",
        absent="default",
    ),
    "io": word(
        "How QEMU reads and writes; `native` goes with the caches none and directsync alone. Default: threads.",
        "threads",
        "native",
        "io_uring",
        effect=Effect.NEXT_BOOT,
        at="driver/@io",
    ),
    "errorPolicy": word(
        "What happens when the host can't write: `stop` pauses the machine, `report` tells the guest, `enospace` "
        "pauses it where there is no space and tells the guest of the rest. Default: enospace.",
        "stop",
        "report",
        "ignore",
        "enospace",
        effect=Effect.NEXT_BOOT,
        at="driver/@error_policy",
    ),
    "readErrorPolicy": word(
        "What happens when the host can't read. Default: as `errorPolicy` says, or report.",
        "stop",
        "report",
        "ignore",
        effect=Effect.NEXT_BOOT,
        at="driver/@rerror_policy",
    ),
    "copyOnRead": on_off(
        "Whether what was read from a base image is kept in the disk's own image. Default: false.",
        effect=Effect.NEXT_BOOT,
        at="driver/@copy_on_read",
    ),
    "discard": word(
        "What a guest's discard does: `unmap` gives the space back to the host. Default: ignore; unmap on a new disk.",
        "unmap",
        "ignore",
        effect=Effect.NEXT_BOOT,
        at="driver/@discard",
    ),
    "detectZeroes": word(
        "Whether zeroes that the guest writes are written as such; `unmap` gives their space back where `discard` is "
        "unmap too. Default: off.",
        "off",
        "on",
        "unmap",
        effect=Effect.NEXT_BOOT,
        at="driver/@detect_zeroes",
    ),
}

DRIVER = mapping(
    "How QEMU opens the disk and hands it on. Default: as libvirt and QEMU do it.",
    {
        **_OPENED,
        "ioThread": number(
            "The number of the I/O thread that serves the disk, on the bus virtio. Default: none, QEMU's main loop.",
            1,
            65535,
            effect=Effect.NEXT_BOOT,
            at="driver/@iothread",
        ),
        "queues": number(
            "How many queues a disk on the bus virtio has. Default: as many as CPUs.",
            1,
            1024,
            effect=Effect.NEXT_BOOT,
            at="driver/@queues",
        ),
        "queueSize": number(
            "How many requests each of these queues holds, a power of two. Default: 256.",
            2,
            1024,
            effect=Effect.NEXT_BOOT,
            at="driver/@queue_size",
        ),
        "ioeventfd": on_off(
            "Whether the guest's requests reach QEMU beside the CPU that makes them, on the bus virtio. Default: true.",
            effect=Effect.NEXT_BOOT,
            at="driver/@ioeventfd",
        ),
        "eventIdx": on_off(
            "Whether a disk on the bus virtio tells the guest of several requests at once. Default: true.",
            effect=Effect.NEXT_BOOT,
            at="driver/@event_idx",
        ),
        "metadataCache": SIZE.but(
            "How much of a qcow2 image's tables is kept in memory, such as 8MiB. Default: as QEMU chooses.",
            examples=("8MiB",),
            effect=Effect.NEXT_BOOT,
            at="driver/metadata_cache/max_size",
            codec="bytes@unit",
        ),
        **VIRTIO_OPTIONS,
    },
)

CDROM_DRIVER = mapping(
    "How QEMU opens the medium. Default: as libvirt and QEMU do it.",
    {name: _OPENED[name] for name in ("cache", "io", "errorPolicy", "readErrorPolicy")},
)

# What the guest reads about the drive itself.
SERIAL = text(
    "The serial number that the guest sees, by which it is found below /dev/disk/by-id. Guests read up to 20 "
    "characters of one on virtio, SATA or IDE, 36 on SCSI. Default: none.",
    r"^[A-Za-z0-9_.+-](?:[A-Za-z0-9_.+ -]{0,34}[A-Za-z0-9_.+-])?$",
    error="A serial number has up to 36 letters, digits, blanks and `_`, `.`, `+`, `-`; correct it.",
    effect=Effect.NEXT_BOOT,
    at="serial",
)
WWN = text(
    "The World Wide Name of the drive, 16 hexadecimal digits, on the buses scsi and ide. Default: none.",
    "^[0-9a-fA-F]{16}$",
    error="A World Wide Name has 16 hexadecimal digits, such as 5000c50015ea71ac; correct it.",
    effect=Effect.NEXT_BOOT,
    at="wwn",
)
VENDOR = text(
    "The vendor that the guest sees, up to 8 characters, on the bus scsi. Default: QEMU.",
    "^[!-~](?:[ -~]{0,6}[!-~])?$",
    error="A vendor has up to 8 printable characters of ASCII and no blanks at its ends; correct it.",
    effect=Effect.NEXT_BOOT,
    at="vendor",
)
PRODUCT = text(
    "The product that the guest sees, up to 16 characters, on the bus scsi. Default: QEMU HARDDISK.",
    "^[!-~](?:[ -~]{0,14}[!-~])?$",
    error="A product has up to 16 printable characters of ASCII and no blanks at its ends; correct it.",
    effect=Effect.NEXT_BOOT,
    at="product",
)
STARTUP_POLICY = word(
    "What a start does when the medium isn't there: `mandatory` fails, `requisite` starts without it unless the "
    "machine comes from a migration, `optional` starts without it. Default: mandatory.",
    "mandatory",
    "requisite",
    "optional",
    effect=Effect.LIVE,
    at="source/@startupPolicy",
)

# What a disk has and no CD-ROM drive.
DISK_TRAITS: Final[Mapping[str, Declared]] = {
    "serial": SERIAL,
    "wwn": WWN,
    "vendor": VENDOR,
    "product": PRODUCT,
    "rotationRate": number(
        "What the guest takes the disk for: 1 is an SSD, from 1025 on it is a rotating disk with so many turns in a "
        "minute. On the buses scsi, sata and ide. Default: unknown.",
        1,
        65534,
        effect=Effect.NEXT_BOOT,
        at="target/@rotation_rate",
    ),
    "removable": on_off(
        "Whether the guest takes a disk on the bus usb for one that is pulled out at times. Default: false.",
        effect=Effect.NEXT_BOOT,
        at="target/@removable",
    ),
    "model": word(
        "Which virtio a disk on that bus speaks: `virtio-transitional` also the one before 1.0, which old guests need "
        "on PCI Express. Default: virtio.",
        "virtio",
        "virtio-transitional",
        "virtio-non-transitional",
        effect=Effect.NEXT_BOOT,
        at="@model",
    ),
    "shareable": present(
        "Whether several machines write to it at once, which takes a file system made for that and a raw image. "
        "Default: false.",
        effect=Effect.NEXT_BOOT,
        at="shareable",
        absent=False,
        default=False,
    ),
    "transient": present(
        "Whether what the guest writes is thrown away when the machine stops. Default: false.",
        effect=Effect.NEXT_BOOT,
        at="transient",
        absent=False,
        default=False,
    ),
    "startupPolicy": word(
        "What a start does when the disk isn't there: `mandatory` fails, `optional` starts without it. "
        "Default: mandatory.",
        "mandatory",
        "optional",
        effect=Effect.LIVE,
        at="source/@startupPolicy",
    ),
    "snapshot": word(
        "Whether and where snapshots keep the disk when they don't say so themselves. Default: as the snapshot is.",
        "no",
        "internal",
        "external",
        effect=Effect.LIVE,
        at="@snapshot",
    ),
    "blockSizes": mapping(
        "The sizes of blocks that the guest sees, in bytes. Default: 512, and as the host's device has them.",
        {
            "logical": number(
                "The smallest that the guest reads or writes, a power of two. Default: 512.",
                512,
                32768,
                effect=Effect.NEXT_BOOT,
                at="blockio/@logical_block_size",
            ),
            "physical": number(
                "The one at which the device does it without reading before. Default: `logical`.",
                512,
                32768,
                effect=Effect.NEXT_BOOT,
                at="blockio/@physical_block_size",
            ),
        },
    ),
    "geometry": mapping(
        "How many cylinders, heads and sectors an old guest sees. Default: guessed by the firmware.",
        {
            "cylinders": number("Cylinders.", 1, 65535, effect=Effect.NEXT_BOOT, at="geometry/@cyls"),
            "heads": number("Heads.", 1, 255, effect=Effect.NEXT_BOOT, at="geometry/@heads"),
            "sectors": number("Sectors in a track.", 1, 255, effect=Effect.NEXT_BOOT, at="geometry/@secs"),
            "translation": word(
                "How the BIOS translates them. Default: auto.",
                "auto",
                "none",
                "lba",
                effect=Effect.NEXT_BOOT,
                at="geometry/@trans",
            ),
        },
        required=("cylinders", "heads", "sectors"),
    ),
}
