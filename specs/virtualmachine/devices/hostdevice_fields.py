"""What documents may say of the host's devices that a machine has for itself: which ones, and how it has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from specs.declared import (
    IN_CODE,
    Declared,
    Keywords,
    counts,
    exactly_one,
    has,
    items,
    mapping,
    never,
    number,
    on_off,
    present,
    text,
    word,
    yes_no,
)
from specs.effect import Effect
from specs.notations import HOST_PATH, UUID
from specs.virtualmachine.devices.place_fields import ACPI_INDEX, PLACE

_NEXT = Effect.NEXT_BOOT

# Which device it is: one of these.
WHICH: Final[Mapping[str, Declared]] = {
    "device": text(
        "Its node-device name in libvirt, such as pci_0000_00_19_0, usb_1_2 or scsi_0_0_0_0. Default: told otherwise.",
        "^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$",
        error="A host device is named as `virsh nodedev-list` does, such as pci_0000_00_19_0; correct it.",
        effect=Effect.LIVE,
        at=IN_CODE,
    ),
    "pci": text(
        "Its PCI address on the host, such as 0000:00:19.0. Default: told otherwise.",
        "^[0-9A-Fa-f]{4,8}:[0-9A-Fa-f]{2}:[01][0-9A-Fa-f]\\.[0-7]$",
        examples=("0000:00:19.0",),
        error="A PCI address is written such as 0000:00:19.0; correct it.",
        effect=Effect.LIVE,
        at=IN_CODE,
    ),
    "usb": text(
        "Vendor and product of a USB device, such as 046d:c52b: the one that is plugged in. Default: told otherwise.",
        "^[0-9A-Fa-f]{4}:[0-9A-Fa-f]{4}$",
        examples=("046d:c52b",),
        error="A USB device is told by vendor and product such as 046d:c52b, as lsusb does; correct it.",
        effect=Effect.LIVE,
        at=IN_CODE,
    ),
    "scsi": text(
        "Its SCSI address on the host, such as 0:0:0:1 (host, bus, target, unit). Default: told otherwise.",
        "^[0-9]{1,9}:[0-9]{1,9}:[0-9]{1,9}:[0-9]{1,9}$",
        examples=("0:0:0:1",),
        error="A SCSI address is written such as 0:0:0:1, as lsscsi does; correct it.",
        effect=Effect.LIVE,
        at=IN_CODE,
    ),
    "mdev": UUID.but(
        "The UUID of a mediated device, such as a part of a GPU. Default: told otherwise.",
        effect=Effect.LIVE,
        at=IN_CODE,
    ),
    "vhost": text(
        "The name of a vhost SCSI target, such as naa.5123456789abcde0. Default: told otherwise.",
        "^naa\\.[0-9A-Fa-f]{16}$",
        examples=("naa.5123456789abcde0",),
        error="A vhost target is named by `naa.` and 16 hexadecimal digits; correct it.",
        effect=Effect.LIVE,
        at=IN_CODE,
    ),
}

HOW: Final[Mapping[str, Declared]] = {
    "model": word(
        "Of a mediated device: what it is (vfio-pci, vfio-ccw, vfio-ap); of vhost: virtio's generation. Default: "
        "vfio-pci.",
        *("vfio-pci", "vfio-ccw", "vfio-ap", "virtio", "virtio-transitional", "virtio-non-transitional"),
        effect=_NEXT,
        at="@model",
    ),
    "managed": yes_no(
        "Whether libvirt takes it from the host's driver at each start, and gives it back. Default: true, but for "
        "mediated devices and vhost.",
        effect=_NEXT,
        at="@managed",
    ),
    "display": on_off(
        "Of a mediated GPU: whether its picture is the console's. Default: false.", effect=_NEXT, at="@display"
    ),
    "ramfb": on_off(
        "Of one with `display`: whether there is a picture before its driver is there. Default: false.",
        effect=_NEXT,
        at="@ramfb",
    ),
    "driver": word(
        "Of PCI: how it is passed through. Default: vfio.", "vfio", "kvm", "xen", effect=_NEXT, at="driver/@name"
    ),
    "startupPolicy": word(
        "Of USB: what comes of a start without it: none (`mandatory`), none but after a migration (`requisite`), or "
        "one without it (`optional`). Default: mandatory.",
        *("mandatory", "requisite", "optional"),
        effect=_NEXT,
        at="source/@startupPolicy",
    ),
    "guestReset": word(
        "Of USB: whether the guest may reset it. Default: on.",
        *("on", "off", "uninitialized"),
        effect=_NEXT,
        at="source/@guestReset",
    ),
    "rawIo": yes_no("Of SCSI: whether QEMU may do anything to it. Default: false.", effect=_NEXT, at="@rawio"),
    "unfiltered": yes_no(
        "Of SCSI: whether the guest's commands aren't filtered. Default: false.",
        effect=_NEXT,
        at=".",
        codec="<hostdev> unfiltered",
        absent=False,
    ),
    "readOnly": present(
        "Of SCSI: whether the guest can't write. Default: false.", effect=_NEXT, at="readonly", absent=False
    ),
    "shareable": present(
        "Of SCSI: whether other machines may have it too. Default: false.", effect=_NEXT, at="shareable", absent=False
    ),
    "rom": mapping(
        "Of PCI: its ROM, which its firmware is in. Default: the device's own.",
        {
            "enabled": yes_no("Whether the guest sees it. Default: true.", effect=_NEXT, at="rom/@enabled"),
            "bar": on_off("Whether it is in memory. Default: chosen by QEMU.", effect=_NEXT, at="rom/@bar"),
            "file": HOST_PATH.but(
                "A file in its place, in an allowed folder. Default: none.", effect=_NEXT, at="rom/@file"
            ),
        },
    ),
    "bootOrder": number(
        "Its place in the order of boot devices. Default: none.", 1, 1000, effect=_NEXT, at="boot/@order"
    ),
    "acpiIndex": ACPI_INDEX,
    **PLACE,
}

# Of which kinds of device each is; all others are of any.
_OF_KIND: Final[Mapping[str, tuple[str, ...]]] = {
    "model": ("mdev", "vhost"),
    "display": ("mdev",),
    "ramfb": ("mdev",),
    "driver": ("pci",),
    "rom": ("pci",),
    "acpiIndex": ("pci", "mdev"),
    "startupPolicy": ("usb",),
    "guestReset": ("usb",),
    "rawIo": ("scsi",),
    "unfiltered": ("scsi",),
    "readOnly": ("scsi",),
    "shareable": ("scsi",),
}


def _kind_rules() -> Iterator[Keywords]:
    for name, kinds in _OF_KIND.items():
        error = f"`{name}` is a matter of {' and '.join(kinds)}; remove it."
        for other in ("pci", "usb", "scsi", "mdev", "vhost"):
            if other not in kinds:
                yield never(has(name, other), error)
                yield never({**has(name, "device"), "properties": {"device": {"pattern": f"^{other}_"}}}, error)


HOST_DEVICE: Final = mapping(
    "One device of the host.",
    {**WHICH, **HOW},
    lowered=mapping(
        "What it is known by.",
        {
            "type": text("What it hangs on: pci, usb, scsi, mdev or scsi_host."),
            "numbers": counts("The numbers of its address."),
            "known": text("What it is known by that has no numbers."),
        },
        required=("type", "numbers"),
    ),
    rules=(
        exactly_one(
            *WHICH,
            error="Name one device: by exactly one of `device`, `pci`, `usb`, `scsi`, `mdev` and `vhost`; correct it.",
        ),
        *_kind_rules(),
    ),
)

HOST_DEVICES: Final = items(
    "Devices of the host that the machine gets for itself. Default: none.",
    HOST_DEVICE,
    unique=True,
    effect=Effect.LIVE,
    at=IN_CODE,
)
