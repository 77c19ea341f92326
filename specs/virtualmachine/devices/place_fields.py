"""What every device may say of itself: where the guest sees it, and what people call it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import Declared, number, text
from specs.effect import Effect
from specs.virtualmachine.devices.address_fields import ADDRESS

ALIAS: Final = text(
    "A name that begins with `ua-`, by which the device is found in libvirt's events and QEMU's monitor. Default: one "
    "that libvirt makes up at each start.",
    r"^ua-[A-Za-z0-9_.-]{1,120}$",
    examples=("ua-backup",),
    error="A device's alias begins with `ua-` and has letters, digits, `.`, `_` and `-`; correct it.",
    effect=Effect.NEXT_BOOT,
    at="alias/@name",
)

ACPI_INDEX: Final = number(
    "Its index in ACPI, by which Linux names it (`eno1` for 1), unique in the machine. Default: none.",
    1,
    16383,
    effect=Effect.NEXT_BOOT,
    at="acpi/@index",
)

PLACE: Final[Mapping[str, Declared]] = {
    "address": ADDRESS.but(
        "Where the guest sees it, such as `pci 0000:05:00.0`. Default: libvirt chooses once, and it stays.",
        effect=Effect.NEXT_BOOT,
        at="address",
    ),
    "alias": ALIAS,
}
