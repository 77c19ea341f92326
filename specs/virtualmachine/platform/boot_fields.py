"""What a document may say about what a machine boots from, and what its firmware asks and tells meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import IN_CODE, Declared, either, items, mapping, number, text, word, yes_no
from specs.effect import Effect
from specs.notations import ABSOLUTE_PATH, HOST_PATH, VOLUME_REFERENCE

_FILE = either(ABSOLUTE_PATH, VOLUME_REFERENCE)
_WRONG_FILE = "Write an absolute path without `..`, or a volume as `volume` or `pool/volume`."

KERNEL_BOOT: Final = mapping(
    "A kernel that the hypervisor starts itself, past the firmware's boot order. Default: none; the machine boots from "
    "its devices.",
    {
        "kernel": text(
            "The kernel's image: a path in a folder of the setting allowed-folder, or a volume (`volume` in the pool "
            "default, or `pool/volume`). Default: none.",
            _FILE,
            at_most=4096,
            examples=("/var/lib/libvirt/boot/vmlinuz",),
            error=_WRONG_FILE,
            effect=Effect.NEXT_BOOT,
            at="os/kernel",
            codec="path",
        ),
        "initrd": text(
            "The initial RAM disk, likewise. Default: none.",
            _FILE,
            at_most=4096,
            error=_WRONG_FILE,
            effect=Effect.NEXT_BOOT,
            at="os/initrd",
            codec="path",
        ),
        "cmdline": text(
            "What the kernel is told at its start. Default: nothing.",
            at_most=4096,
            examples=("root=/dev/vda1 console=ttyS0",),
            effect=Effect.NEXT_BOOT,
            at="os/cmdline",
            absent="",
        ),
        "dtb": text(
            "The device tree, for architectures that need one: a path or a volume. Default: none.",
            _FILE,
            at_most=4096,
            error=_WRONG_FILE,
            effect=Effect.NEXT_BOOT,
            at="os/dtb",
            codec="path",
        ),
    },
)

BOOT: Final[Mapping[str, Declared]] = {
    "bootDevices": items(
        "The kinds of devices that the machine tries to boot from, in this order: of each "
        "kind the first one, of `network` the first interface. Goes without any `bootOrder`, "
        "which names single devices instead. Default: hd, cdrom for a new machine.",
        word(
            "hd: a disk; cdrom: a CD-ROM drive; network: an interface (PXE); fd: a floppy drive.",
            "hd",
            "cdrom",
            "network",
            "fd",
        ),
        least=1,
        unique=True,
        examples=(["network", "hd"],),
        effect=Effect.NEXT_BOOT,
        at=IN_CODE,
    ),
    "bootMenu": yes_no(
        "Whether the firmware asks at its start what to boot from. Default: false.",
        default=False,
        effect=Effect.NEXT_BOOT,
        at="os/bootmenu/@enable",
        absent=False,
    ),
    "bootMenuTimeout": number(
        "Milliseconds for which the boot menu waits. Default: what the firmware waits by itself.",
        0,
        65535,
        effect=Effect.NEXT_BOOT,
        at="os/bootmenu/@timeout",
    ),
    "bios": mapping(
        "What else the BIOS does. Default: nothing of it.",
        {
            "useSerial": yes_no(
                "Whether it shows itself on the first serial port too. Default: false.",
                effect=Effect.NEXT_BOOT,
                at="os/bios/@useserial",
                absent=False,
            ),
            "rebootTimeout": number(
                "Milliseconds after which it tries again when nothing could be booted; -1 for never. Default: -1.",
                -1,
                65535,
                effect=Effect.NEXT_BOOT,
                at="os/bios/@rebootTimeout",
            ),
        },
    ),
    "kernelBoot": KERNEL_BOOT,
    "slicTable": HOST_PATH.but(
        "A file with an ACPI table (SLIC) that the guest finds, such as that of a vendor's licence: a path in a folder "
        "of the setting allowed-folder. Default: none.",
        effect=Effect.NEXT_BOOT,
        at="os/acpi/table[@type='slic']",
    ),
}
