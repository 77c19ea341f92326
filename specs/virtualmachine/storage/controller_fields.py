"""What a document may say about a machine's controllers: what its drives, ports and slots hang on."""

from __future__ import annotations

from typing import Final

from specs.declared import items, mapping, number, on_off, text, word
from specs.effect import Effect
from specs.notations import SIZE
from specs.virtualmachine.devices.common_fields import VIRTIO_OPTIONS
from specs.virtualmachine.devices.place_fields import PLACE

_NEXT: Final = Effect.NEXT_BOOT

CONTROLLER = mapping(
    "A controller.",
    {
        "type": word(
            "What hangs on it.",
            "pci",
            "usb",
            "scsi",
            "ide",
            "sata",
            "fdc",
            "virtio-serial",
            "ccid",
            "isa",
            effect=_NEXT,
            at="@type",
        ),
        "index": number("Its number among those of its type, from 0.", 0, 65535, effect=_NEXT, at="@index"),
        "model": text(
            "Which one it is, in libvirt's words: of scsi virtio-scsi, lsilogic and others, of usb qemu-xhci and "
            "others, of pci pcie-root-port and others. Default: as libvirt chooses for the machine.",
            "^[a-z0-9-]{1,40}$",
            examples=("virtio-scsi",),
            error="A controller's model is a word such as virtio-scsi, qemu-xhci or pcie-root-port; correct it.",
            effect=_NEXT,
            at="@model",
        ),
        "driver": mapping(
            "How the guest's requests reach it, on virtio-scsi. Default: as libvirt and QEMU do it.",
            {
                "queues": number(
                    "How many queues it has. Default: as many as CPUs.", 1, 1024, effect=_NEXT, at="driver/@queues"
                ),
                "cmdPerLun": number(
                    "How many commands a LUN takes at once. Default: 128.",
                    1,
                    65535,
                    effect=_NEXT,
                    at="driver/@cmd_per_lun",
                ),
                "maxSectors": number(
                    "How many sectors a request has at most. Default: 65535.",
                    1,
                    4294967295,
                    effect=_NEXT,
                    at="driver/@max_sectors",
                ),
                "ioeventfd": on_off(
                    "Whether requests reach QEMU beside the CPU that makes them. Default: true.",
                    effect=_NEXT,
                    at="driver/@ioeventfd",
                ),
                "ioThread": number(
                    "The number of the I/O thread that serves it. Default: none, QEMU's main loop.",
                    1,
                    65535,
                    effect=_NEXT,
                    at="driver/@iothread",
                ),
                **VIRTIO_OPTIONS,
            },
        ),
        "ports": number(
            "How many ports a usb or virtio-serial controller has. Default: as its model has.",
            1,
            511,
            effect=_NEXT,
            at="@ports",
        ),
        "vectors": number(
            "How many interrupts a virtio-serial controller has. Default: as QEMU chooses.",
            0,
            2048,
            effect=_NEXT,
            at="@vectors",
        ),
        "master": number(
            "Of a companion of a usb controller the first port of that one's that it serves. Default: none.",
            0,
            255,
            effect=_NEXT,
            at="master/@startport",
        ),
        "implementation": text(
            "Which device of QEMU's a pci controller is, such as pcie-root-port or ioh3420. Default: as libvirt "
            "chooses.",
            "^[a-z0-9-]{1,40}$",
            error="A pci controller's implementation is a word such as pcie-root-port; correct it.",
            effect=_NEXT,
            at="model/@name",
        ),
        "target": mapping(
            "Where a pci controller is among the others. Default: as libvirt chooses.",
            {
                "chassisNr": number("The chassis of a pci-bridge.", 0, 255, effect=_NEXT, at="target/@chassisNr"),
                "chassis": number("The chassis of a port.", 0, 255, effect=_NEXT, at="target/@chassis"),
                "port": number("The number of a port in it.", 0, 255, effect=_NEXT, at="target/@port"),
                "busNr": number("The bus that an expander begins.", 0, 254, effect=_NEXT, at="target/@busNr"),
                "index": number(
                    "The number of a host bridge of pSeries machines.", 0, 30, effect=_NEXT, at="target/@index"
                ),
                "hotplug": on_off(
                    "Whether devices come and go in a port. Default: true.", effect=_NEXT, at="target/@hotplug"
                ),
                "node": number("The NUMA cell of an expander.", 0, 255, effect=_NEXT, at="target/node"),
            },
        ),
        "pcihole64": SIZE.but(
            "How much room above 4 GiB a root has for devices' memory, such as 64GiB. Default: as the firmware "
            "chooses.",
            examples=("64GiB",),
            effect=_NEXT,
            at="pcihole64",
            codec="KiB@unit",
        ),
        **PLACE,
    },
    required=("type", "index"),
)

CONTROLLERS = items(
    "The controllers. Those that devices need come by themselves, and what isn't named here stays as it is. "
    "Default: as libvirt and the machine's devices need them.",
    CONTROLLER,
    identity=("type", "index"),
    effect=_NEXT,
    at="devices/controller",
)
