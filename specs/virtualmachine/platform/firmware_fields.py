"""What a document may say about a machine's firmware: which one, whether it boots securely, where its variables are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import IN_CODE, Declared, mapping, word, yes_no
from specs.effect import Effect
from specs.notations import ABSOLUTE_PATH, HOST_PATH

FIRMWARE: Final[Mapping[str, Declared]] = {
    "firmware": word(
        "What boots the machine. Default: bios.",
        "bios",
        "uefi",
        default="bios",
        effect=Effect.NEXT_BOOT,
        at=IN_CODE,
    ),
    "secureBoot": yes_no(
        "Whether the firmware starts nothing but what is signed with a key that it knows. Needs `firmware: uefi` and "
        "the machine type q35; what else it takes (system management mode, the vendor's keys) is arranged. Default: "
        "left to the host's firmware.",
        effect=Effect.NEXT_BOOT,
        at=IN_CODE,
    ),
    "firmwareFeatures": mapping(
        "What the host's choice of UEFI has to be able to do. Default: left to the host.",
        {
            "secureBoot": yes_no(
                "Whether it can boot securely. Default: true with `secureBoot: true`, else left to the host.",
                effect=Effect.NEXT_BOOT,
                at="os/firmware/feature[@name='secure-boot']/@enabled",
            ),
            "enrolledKeys": yes_no(
                "Whether it comes with its vendor's keys, by which it knows the systems that are for sale. Default: "
                "true with `secureBoot: true`, else left to the host.",
                effect=Effect.NEXT_BOOT,
                at="os/firmware/feature[@name='enrolled-keys']/@enabled",
            ),
        },
    ),
    "loader": mapping(
        "The firmware's own file, where the host isn't to choose one. Default: chosen by `firmware`.",
        {
            "path": ABSOLUTE_PATH.but(
                "The file: one of the host's firmware, or in a folder of the setting allowed-folder. Default: chosen "
                "by the host.",
                examples=("/usr/share/OVMF/OVMF_CODE_4M.fd",),
                effect=Effect.NEXT_BOOT,
                at=IN_CODE,
            ),
            "type": word(
                "How the machine has it: as ROM, or as flash memory (`pflash`). Default: rom.",
                "rom",
                "pflash",
                effect=Effect.NEXT_BOOT,
                at=IN_CODE,
            ),
            "readonly": yes_no(
                "Whether the guest can't write into it. Default: true for `pflash`.",
                effect=Effect.NEXT_BOOT,
                at=IN_CODE,
            ),
            "secure": yes_no(
                "Whether it is one that can boot securely. Default: true with `secureBoot: true`, else false.",
                effect=Effect.NEXT_BOOT,
                at="os/loader/@secure",
            ),
            "stateless": yes_no(
                "Whether there is no memory for variables beside it: each start finds it as new. Default: false.",
                effect=Effect.NEXT_BOOT,
                at="os/loader/@stateless",
                absent=False,
            ),
        },
    ),
    "nvram": mapping(
        "Where UEFI keeps its variables. Default: a file of the machine's own in libvirt's folder.",
        {
            "path": HOST_PATH.but(
                "The file, in a folder of the setting allowed-folder. Default: a file of the machine's own in "
                "libvirt's folder.",
                effect=Effect.NEXT_BOOT,
                at=IN_CODE,
            ),
            "template": ABSOLUTE_PATH.but(
                "The file that it is made from at the first start: one of the host's firmware, or in a folder of the "
                "setting allowed-folder. Default: the one that belongs to the firmware.",
                effect=Effect.NEXT_BOOT,
                at="os/nvram/@template",
            ),
        },
    ),
}
