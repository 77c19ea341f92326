"""A mediated device with an attribute."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DOCUMENTS: Mapping[str, tuple[dict[str, Any], ...]] = {
    "MediatedDevice": (
        {"parent": "pci_0000_06_00_0", "type": "nvidia-11", "attributes": [{"name": "a", "value": "1"}]},
    )
}
VALUES: Mapping[str, tuple[Any, ...]] = {
    "MediatedDevice.parent": ("pci_0000_06_00_0", "css_0_0_0024"),
    "MediatedDevice.type": ("nvidia-11", "vfio_ccw-io"),
    "MediatedDevice.attributes.name": ("one", "two"),
    "MediatedDevice.attributes.value": ("one", "two"),
}
