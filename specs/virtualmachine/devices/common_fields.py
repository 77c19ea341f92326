"""What documents may say of devices of several kinds alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import Declared, mapping, on_off
from specs.effect import Effect

# Of every device of virtio's: how it and its driver share memory.
VIRTIO_OPTIONS: Final[Mapping[str, Declared]] = {
    "iommu": on_off(
        "Whether the device goes by the addresses of a virtual IOMMU, as guests with encrypted memory need it. "
        "Default: false.",
        effect=Effect.NEXT_BOOT,
        at="driver/@iommu",
    ),
    "ats": on_off(
        "Whether it may ask that IOMMU for translations ahead of time (Address Translation Service). Default: false.",
        effect=Effect.NEXT_BOOT,
        at="driver/@ats",
    ),
    "packed": on_off(
        "Whether its queues are packed virtqueues, which take less of the bus. Default: false.",
        effect=Effect.NEXT_BOOT,
        at="driver/@packed",
    ),
    "pagePerVq": on_off(
        "Whether each of its queues has a page of its own to be notified through. Default: false.",
        effect=Effect.NEXT_BOOT,
        at="driver/@page_per_vq",
    ),
}

DRIVER: Final[Mapping[str, Declared]] = {
    "driver": mapping("How the device and its driver work together. Default: as QEMU does it.", VIRTIO_OPTIONS)
}
