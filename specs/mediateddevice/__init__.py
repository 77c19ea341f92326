"""The kind MediatedDevice: a part of a device of the host that a machine can have for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specs.mediateddevice.model import check, references
from specs.reference import MEDIATED_DEVICE
from specs.registry import TypedKind

if TYPE_CHECKING:
    from specs.mediateddevice.spec import LoweredMediatedDevice, MediatedDeviceSpec

KIND: TypedKind[MediatedDeviceSpec, LoweredMediatedDevice] = TypedKind(
    name=MEDIATED_DEVICE,
    plural="mediateddevices",
    aliases=("mdev", "mdevs"),
    noun="mediated-device",
    package=__name__,
    references=references,
    check=check,
)
