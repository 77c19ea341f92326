"""What a document may say about what the machine is apart from its devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import IN_CODE, Declared, items, text, word, yes_no
from specs.effect import Effect

FIELDS: Final[Mapping[str, Declared]] = {
    "defaults": word(
        "Whose choices a new machine gets for what isn't declared. `onggi`: a machine as people want one, with a "
        "serial console, a graphical one, the guest agent's channel, entropy from the host and room for more devices. "
        "`libvirt`: nothing beside what is declared and what libvirt adds by itself, as in an exported machine. A "
        "machine that exists isn't changed by it. Default: onggi.",
        "onggi",
        "libvirt",
        default="onggi",
        at=IN_CODE,
    ),
    "domainType": word(
        "Hardware virtualisation (`kvm`) or emulation in software (`emulated`), which is "
        "slower and runs everywhere. Default: kvm where the host has it.",
        "kvm",
        "emulated",
        effect=Effect.NEXT_BOOT,
        at=IN_CODE,
    ),
    "machine": text(
        "The machine type: q35, pc, or one with a version such as pc-q35-7.2. Default: q35 where the host has it.",
        "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        error="A machine type is a word such as q35 or pc-q35-7.2; correct it.",
        effect=Effect.NEXT_BOOT,
        at=IN_CODE,
    ),
    "firmware": word(
        "What boots the machine. Default: bios.",
        "bios",
        "uefi",
        default="bios",
        effect=Effect.NEXT_BOOT,
        at=IN_CODE,
    ),
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
}
