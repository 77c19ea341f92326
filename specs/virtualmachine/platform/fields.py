"""What a document may say about what the machine is apart from its devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import IN_CODE, Declared, text, word
from specs.effect import Effect
from specs.notations import ABSOLUTE_PATH
from specs.virtualmachine.platform.boot_fields import BOOT
from specs.virtualmachine.platform.clock_fields import CLOCK
from specs.virtualmachine.platform.confinement_fields import CONFINEMENT
from specs.virtualmachine.platform.features_fields import FEATURES
from specs.virtualmachine.platform.firmware_fields import FIRMWARE
from specs.virtualmachine.platform.guest_os import PRESETS, in_words
from specs.virtualmachine.platform.lifecycle_fields import LIFECYCLE
from specs.virtualmachine.platform.smbios_fields import SMBIOS

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
    "guestOs": word(
        "What a new machine's guest is, which stands for all that osinfo recommends for it; what the document says "
        "itself wins, and the plan of the new machine shows all of it. A machine that exists isn't changed by it: "
        "write fields for that. "
        + "; ".join(f"{name} stands for {in_words(preset)}" for name, preset in PRESETS.items())
        + ". Default: none.",
        *PRESETS,
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
    "arch": text(
        "The architecture of its processors, as libvirt calls it: x86_64, aarch64, s390x, ppc64le, riscv64 and others "
        "for which the host has an emulator. Another one is another machine. Default: the host's.",
        "^[a-z][a-z0-9_]{1,15}$",
        examples=("aarch64",),
        error="An architecture is a word such as x86_64, aarch64 or s390x; correct it.",
        effect=Effect.FORBIDDEN,
        at=IN_CODE,
    ),
    "machine": text(
        "The machine type: q35, pc, or one with a version such as pc-q35-7.2; virt for aarch64 and riscv64. Default: "
        "q35 where the host has it.",
        "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        error="A machine type is a word such as q35 or pc-q35-7.2; correct it.",
        effect=Effect.NEXT_BOOT,
        at=IN_CODE,
    ),
    "emulator": ABSOLUTE_PATH.but(
        "The program that emulates the machine: QEMU's for the architecture where distributions have it; another one "
        "needs the area hypervisor of the setting allow-xml. Default: the host's for the architecture.",
        examples=("/usr/bin/qemu-system-x86_64",),
        effect=Effect.NEXT_BOOT,
        at="devices/emulator",
        codec="path",
    ),
    **FIRMWARE,
    **BOOT,
    "features": FEATURES,
    "clock": CLOCK,
    **LIFECYCLE,
    **SMBIOS,
    **CONFINEMENT,
}
