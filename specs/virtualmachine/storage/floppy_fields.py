"""What a document may say about a machine's floppy drives."""

from __future__ import annotations

from specs.declared import GONE, IN_CODE, Declared, has, items, mapping, never, number, present, shared, text
from specs.effect import Effect
from specs.notations import HOST_PATH, VOLUME_REFERENCE
from specs.virtualmachine.devices.place_fields import PLACE
from specs.virtualmachine.storage.driver_fields import CDROM_DRIVER, STARTUP_POLICY


def floppies(source: Declared) -> Declared:
    """The list, with `source` as what lowering makes of a medium."""
    floppy = shared(
        "floppy",
        mapping(
            "A floppy drive; empty without a medium.",
            {
                "target": text(
                    "Device name inside the machine's definition. Default: fda, fdb by position.",
                    "^fd[ab]$",
                    error="A floppy drive is fda or fdb; correct it, or leave it out.",
                    effect=Effect.NEXT_BOOT,
                    at="target/@dev",
                ),
                "volume": VOLUME_REFERENCE.but(
                    "The medium is a volume: `volume` in the pool default, or `pool/volume`.", effect=Effect.LIVE
                ),
                "path": HOST_PATH.but(
                    "The medium is a file of the host, in a folder of the setting allowed-folder.", effect=Effect.LIVE
                ),
                "readOnly": present(
                    "Whether the guest may only read it. Default: false.",
                    default=False,
                    absent=False,
                    effect=Effect.NEXT_BOOT,
                    at="readonly",
                ),
                "bootOrder": number(
                    "Place in the boot order, from 1; each place is taken once in a machine. Default: after those that "
                    "have one.",
                    1,
                    255,
                    effect=Effect.NEXT_BOOT,
                ),
                "driver": CDROM_DRIVER,
                "startupPolicy": STARTUP_POLICY,
                "address": PLACE["address"],
            },
            lowered=mapping(
                "Its medium as the place where it is.",
                {"volume": GONE, "path": GONE, "source": source},
                required=("target", "source"),
            ),
            rules=(never(has("volume", "path"), "A drive holds at most one medium; keep one of `volume` and `path`."),),
        ),
    )
    return items(
        "The floppy drives. Changing a medium works in the running machine. Default: none.",
        floppy,
        most=2,
        effect=Effect.NEXT_BOOT,
        at=IN_CODE,
    )
