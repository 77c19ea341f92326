"""What documents may say of what watches over, encrypts and translates: watchdog, TPM and IOMMU; and of what a machine
of another architecture has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import (
    Declared,
    has,
    is_one,
    items,
    mapping,
    never,
    number,
    on_off,
    only_with,
    present,
    where,
    word,
    yes_no,
)
from specs.effect import Effect
from specs.notations import HOST_PATH, UUID
from specs.virtualmachine.devices.place_fields import PLACE

_NEXT = Effect.NEXT_BOOT

WATCHDOG: Final = mapping(
    "A device that does something about a guest from which it hasn't heard for a while: one that hangs. Default: none.",
    {
        "model": word(
            "The device, for which the guest needs a driver: i6300esb and ib700 for x86, itco is part of the "
            "machine type q35, diag288 is for s390x.",
            *("i6300esb", "ib700", "itco", "diag288"),
            effect=_NEXT,
            at="@model",
            takes_along=("/devices/watchdog/address",),  # one on another bus has another one
        ),
        "action": word(
            "What it does: reset, shut down (which a guest that hangs rarely does), power off or pause the "
            "machine, write its memory into a file of the host (`dump`), send the guest an interrupt that it "
            "can't pass over (`inject-nmi`), or only tell libvirt's clients (`none`). Default: reset.",
            *("reset", "shutdown", "poweroff", "pause", "dump", "inject-nmi", "none"),
            default="reset",
            effect=_NEXT,
            at="@action",
            absent="reset",
        ),
        **PLACE,
    },
    required=("model",),
    at="devices/watchdog",
)

TPM: Final = mapping(
    "A Trusted Platform Module, which keeps keys and measurements; Windows 11 wants one of version 2.0. Default: none.",
    {
        "model": word(
            "How the guest reaches it: crb (2.0 only) or tis for x86 and ARM, spapr for POWER. Default: chosen by "
            "libvirt.",
            *("tpm-crb", "tpm-tis", "tpm-spapr", "spapr-tpm-proxy"),
            effect=_NEXT,
            at="@model",
            takes_along=("/devices/tpm/address",),
        ),
        "backend": word(
            "What stands behind it: a program of the host, swtpm, that keeps its state with libvirt (`emulator`), the "
            "host's own (`passthrough`), or a program that somebody else runs (`external`).",
            *("emulator", "passthrough", "external"),
            effect=_NEXT,
            at="backend/@type",
            takes_along=("/devices/tpm/backend",),
        ),
        "version": word(
            "Of emulator: the version of the specification. Default: chosen by libvirt, 2.0 where the model has it.",
            *("2.0", "1.2"),
            effect=_NEXT,
            at="backend/@version",
        ),
        "persistentState": yes_no(
            "Of emulator: whether its state stays when libvirt forgets a machine that is only transient. Default: "
            "false.",
            effect=_NEXT,
            at="backend/@persistent_state",
            absent=False,
        ),
        "encryption": UUID.but(
            "Of emulator: the UUID of libvirt's secret by which its state is encrypted. Default: not encrypted.",
            effect=_NEXT,
            at="backend/encryption/@secret",
        ),
        "activePcrBanks": mapping(
            "Of emulator: the banks of registers that are in use. Default: as its state says.",
            {
                name: present(
                    f"Whether {name} is. Default: false.",
                    absent=False,
                    effect=_NEXT,
                    at=f"backend/active_pcr_banks/{name}",
                )
                for name in ("sha1", "sha256", "sha384", "sha512")
            },
        ),
        "device": HOST_PATH.but(
            "Of passthrough: the host's device, such as /dev/tpm0, which is allowed by allowed-folder. Default: "
            "/dev/tpm0.",
            effect=_NEXT,
            at="backend/device/@path",
        ),
        "socket": HOST_PATH.but(
            "Of external: the program's socket, in an allowed folder.",
            effect=_NEXT,
            at="backend/source",
            codec="<source> tpm",
        ),
        **PLACE,
    },
    required=("backend",),
    rules=(
        *(
            only_with(name, "backend", "emulator", error=f"Only the backend emulator has `{name}`; remove it.")
            for name in ("version", "persistentState", "encryption", "activePcrBanks")
        ),
        only_with("device", "backend", "passthrough", error="Only the backend passthrough has a `device`; remove it."),
        only_with("socket", "backend", "external", error="Only the backend external has a `socket`; remove it."),
        where(
            has("activePcrBanks"),
            {**is_one("version", "2.0"), "errorMessage": 'Banks are a matter of version 2.0; write `version: "2.0"`.'},
        ),
        where(is_one("backend", "external"), {**has("socket"), "errorMessage": "Write where it listens as `socket`."}),
        never(
            {
                **is_one("model", "tpm-crb"),
                "required": ["model", "version"],
                "properties": {"model": {"const": "tpm-crb"}, "version": {"const": "1.2"}},
            },
            'tpm-crb is a module of version 2.0; write `version: "2.0"`, or `model: tpm-tis`.',
        ),
    ),
    at="devices/tpm",
)

IOMMU: Final = mapping(
    "A virtual IOMMU, which guests need to pass devices on, or for more than 255 CPUs. Default: none.",
    {
        "model": word(
            "Which: intel for q35, smmuv3 for ARM, virtio for both.",
            *("intel", "smmuv3", "virtio"),
            effect=_NEXT,
            at="@model",
            takes_along=("/devices/iommu/driver", "/devices/iommu/address"),
        ),
        "interruptRemapping": on_off(
            "Of intel: whether it translates interrupts too; needs `ioapic: qemu`. Default: false.",
            effect=_NEXT,
            at="driver/@intremap",
        ),
        "cachingMode": on_off(
            "Of intel: whether it tells of each change, which devices of the host need that are passed through. "
            "Default: false.",
            effect=_NEXT,
            at="driver/@caching_mode",
        ),
        "eim": on_off(
            "Of intel: whether interrupts reach more than 255 CPUs. Default: false.", effect=_NEXT, at="driver/@eim"
        ),
        "iotlb": on_off(
            "Of intel: whether devices may keep translations, as those of virtio with `ats` do. Default: false.",
            effect=_NEXT,
            at="driver/@iotlb",
        ),
        "addressWidth": number(
            "Of intel: the width of its addresses in bits. Default: 39.", 32, 64, effect=_NEXT, at="driver/@aw_bits"
        ),
        **PLACE,
    },
    required=("model",),
    rules=(
        *(
            only_with(name, "model", "intel", error=f"Only intel's has `{name}`; remove it.")
            for name in ("interruptRemapping", "cachingMode", "eim", "iotlb", "addressWidth")
        ),
        only_with("address", "model", "virtio", error="Only virtio's has an address; remove it."),
    ),
    at="devices/iommu",
)

HUBS: Final = items(
    "USB hubs, in order. Default: none.",
    mapping("One hub.", PLACE),
    at="devices/hub[@type='usb']",
    effect=_NEXT,
)

NVRAM_DEVICE: Final = mapping(
    "Of a machine for POWER: the device that its firmware's variables are on. Default: where libvirt has it.",
    {"address": PLACE["address"]},
    at="devices/nvram",
)

FIELDS: Final[Mapping[str, Declared]] = {
    "watchdog": WATCHDOG,
    "tpm": TPM,
    "iommu": IOMMU,
    "hubs": HUBS,
    "nvramDevice": NVRAM_DEVICE,
}
