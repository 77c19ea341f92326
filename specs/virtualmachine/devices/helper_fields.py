"""What documents may say of devices that help a guest to live in a machine that isn't real: entropy, memory that goes
back and forth, a word to the host.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import Declared, has, is_one, items, mapping, number, on_off, only_with, text, where, word, yes_no
from specs.effect import Effect
from specs.notations import HOST_PATH, SIZE
from specs.virtualmachine.devices.character_fields import end_rules, plain_end
from specs.virtualmachine.devices.common_fields import DRIVER
from specs.virtualmachine.devices.place_fields import PLACE

_NEXT = Effect.NEXT_BOOT
_DAEMON: Final = plain_end("tcp", "unix", "udp", "dev", "pipe", "pty", way="backend/")
_GENERATIONS = ("virtio", "virtio-transitional", "virtio-non-transitional")


def generation(*more: str, way: str = "") -> Declared:
    """The model of a virtio device: which generation of virtio it is."""
    return word(
        "The device's generation: `virtio` is what suits the machine. Default: virtio.",
        *(*_GENERATIONS, *more),
        effect=_NEXT,
        at="@model",
        takes_along=(f"{way}address",),
    )


RNGS: Final = items(
    "Sources of entropy, in order. Default: a new machine has one from /dev/urandom.",
    mapping(
        "One source.",
        {
            "model": generation(),
            "backend": word(
                "Where it comes from: a device of the host (`random`), QEMU itself (`builtin`), or a daemon (`egd`).",
                *("random", "builtin", "egd"),
                effect=_NEXT,
                at="backend/@model",
                takes_along=("backend",),
            ),
            "device": word(
                "Of random: the device. Default: /dev/urandom.",
                *("/dev/urandom", "/dev/random", "/dev/hwrng"),
                effect=_NEXT,
                at="backend",
                codec="<backend> device",
            ),
            "egd": mapping(
                "Of egd: where the daemon is. Default: none.",
                _DAEMON,
                required=("type",),
                rules=end_rules(_DAEMON),
                at="backend",
            ),
            "rate": mapping(
                "At most so much of it. Default: no limit.",
                {
                    "bytes": number("Bytes per period.", 1, 2**31 - 1, effect=_NEXT, at="rate/@bytes"),
                    "period": number("Milliseconds. Default: 1000.", 1, 2**31 - 1, effect=_NEXT, at="rate/@period"),
                },
                required=("bytes",),
            ),
            **DRIVER,
            **PLACE,
        },
        required=("model", "backend"),
        rules=(
            only_with("device", "backend", "random", error="Only the backend random has a `device`; remove it."),
            only_with("egd", "backend", "egd", error="Only the backend egd has a daemon; remove `egd`."),
            where(is_one("backend", "egd"), {**has("egd"), "errorMessage": "Write where the daemon is as `egd`."}),
        ),
    ),
    at="devices/rng",
    effect=Effect.LIVE,
)

BALLOON: Final = mapping(
    "The device through which a guest gives memory back, and tells how much of it is free. Default: virtio's.",
    {
        "model": generation("none", way="/devices/memballoon/"),
        "autodeflate": on_off(
            "Whether the guest gets memory back by itself before it runs out of it. Default: false.",
            effect=_NEXT,
            at="@autodeflate",
        ),
        "freePageReporting": on_off(
            "Whether the guest tells which pages it doesn't use, so that the host can have them. Default: false.",
            effect=_NEXT,
            at="@freePageReporting",
        ),
        "statsPeriod": number(
            "Seconds between two reports of the guest about its memory; 0 for none. Default: none.",
            0,
            86400,
            effect=Effect.LIVE,
            at="stats/@period",
            absent=0,
        ),
        **DRIVER,
        **PLACE,
    },
    at="devices/memballoon",
)

VSOCK: Final = mapping(
    "A socket family of its own between guest and host, without a network. Default: none.",
    {
        "model": generation(way="/devices/vsock/"),
        "cid": mapping(
            "The guest's number in it.",
            {
                "auto": yes_no(
                    "Whether libvirt chooses a free one at each start. Default: true without an address.",
                    effect=_NEXT,
                    at="cid/@auto",
                ),
                "address": number(
                    "The number, unique on the host. Default: chosen at each start.",
                    3,
                    2**32 - 2,
                    effect=_NEXT,
                    at="cid/@address",
                ),
            },
        ),
        **DRIVER,
        **PLACE,
    },
    at="devices/vsock",
)

SHMEMS: Final = items(
    "Memory that several machines of the host share (ivshmem). Default: none.",
    mapping(
        "One piece of it.",
        {
            "name": text(
                "Its name on the host, by which others share it.",
                r"^[A-Za-z0-9_.-]{1,128}$",
                error="A piece of shared memory is named by letters, digits, `.`, `_` and `-`; correct it.",
                effect=_NEXT,
                at="@name",
            ),
            "role": word(
                "Whether the machine takes the memory along when it is migrated. Default: chosen by QEMU.",
                *("master", "peer"),
                effect=_NEXT,
                at="@role",
            ),
            "model": word(
                "The device: with interrupts by a server (`ivshmem-doorbell`), or memory alone (`ivshmem-plain`). "
                "Default: ivshmem-plain.",
                *("ivshmem-plain", "ivshmem-doorbell", "ivshmem"),
                effect=_NEXT,
                at="model/@type",
                takes_along=("server", "msi", "address"),
            ),
            "size": SIZE.but("How much. Default: 4MiB.", effect=_NEXT, at="size", codec="MiB@unit"),
            "server": HOST_PATH.but(
                "Of doorbell: the server's socket, in an allowed folder. Default: none.",
                effect=_NEXT,
                at="server/@path",
            ),
            "msi": mapping(
                "Of doorbell: its interrupts. Default: chosen by QEMU.",
                {
                    "vectors": number("How many. Default: 1.", 1, 64, effect=_NEXT, at="msi/@vectors"),
                    "ioeventfd": on_off(
                        "Whether the kernel passes them on. Default: chosen by QEMU.",
                        effect=_NEXT,
                        at="msi/@ioeventfd",
                    ),
                },
            ),
            **PLACE,
        },
        required=("name", "model"),
        rules=(
            only_with("server", "model", "ivshmem-doorbell", "ivshmem", error="Only ivshmem-doorbell has a `server`."),
            where(
                is_one("model", "ivshmem-doorbell"),
                {**has("server"), "errorMessage": "ivshmem-doorbell has a server; write its socket as `server`."},
            ),
            only_with("msi", "model", "ivshmem-doorbell", "ivshmem", error="Only ivshmem-doorbell has interrupts."),
        ),
    ),
    at="devices/shmem",
    identity=("name",),
    effect=Effect.LIVE,
)

PANICS: Final = items(
    "Devices through which a guest tells that it crashed. Default: what the machine type has by itself.",
    mapping(
        "One of them.",
        {
            "model": word(
                "Which: isa for Linux and Windows on x86, hyperv for Windows, pseries and s390 are part of those.",
                *("isa", "hyperv", "pseries", "s390"),
                effect=_NEXT,
                at="@model",
            ),
            **PLACE,
        },
        required=("model",),
    ),
    at="devices/panic",
    identity=("model",),
    effect=_NEXT,
)


FIELDS: Final[Mapping[str, Declared]] = {
    "rngs": RNGS,
    "balloon": BALLOON,
    "vsock": VSOCK,
    "shmems": SHMEMS,
    "panics": PANICS,
}
