"""What a document may say about what becomes of a machine when its guest goes down, crashes or sleeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import IN_CODE, Declared, mapping, text, word, yes_no
from specs.effect import Effect

BOOT: Final = Effect.NEXT_BOOT

LIFECYCLE: Final[Mapping[str, Declared]] = {
    "onPoweroff": word(
        "What is done when the guest powers off: the machine is switched off (`destroy`) or started again. Default: "
        "destroy.",
        "destroy",
        "restart",
        effect=BOOT,
        at="on_poweroff",
        absent="destroy",
    ),
    "onReboot": word(
        "What is done when the guest reboots. Default: restart.",
        "destroy",
        "restart",
        effect=BOOT,
        at="on_reboot",
        absent="restart",
    ),
    "onCrash": word(
        "What is done when the guest crashes and the machine has a panic device: it is switched off, started again, "
        "kept as it is to be looked at (`preserve`), or its memory is written into a file of the host first. Default: "
        "destroy.",
        *("destroy", "restart", "preserve", "coredump-destroy", "coredump-restart"),
        effect=BOOT,
        at="on_crash",
        absent="destroy",
    ),
    "onLockFailure": word(
        "What is done when a lock on its disks is lost, where the host has a lock manager. Default: that one's choice.",
        *("poweroff", "restart", "pause", "ignore"),
        effect=BOOT,
        at="on_lockfailure",
    ),
    "pm": mapping(
        "Whether the guest can sleep. Default: false for a new machine, else the hypervisor's choice.",
        {
            "suspendToMem": yes_no(
                "Whether it can sleep with its memory powered. Default: false for a new machine.",
                effect=BOOT,
                at="pm/suspend-to-mem/@enabled",
            ),
            "suspendToDisk": yes_no(
                "Whether it can hibernate. Default: false for a new machine.",
                effect=BOOT,
                at="pm/suspend-to-disk/@enabled",
            ),
        },
    ),
    "genid": text(
        "The identity of the guest's data, by which Windows sees that it runs from a copy or an older state: a UUID, "
        "or `generated` for one of libvirt's choice. Default: none.",
        "^(?:generated|[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12})$",
        error="Write `generated`, or a UUID such as 1c0b3c4e-7a0b-4a35-8d0d-0d9f6c0f3c30.",
        effect=BOOT,
        at=IN_CODE,
    ),
}
