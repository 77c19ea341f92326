"""What a document may say of a machine only where the host's administrator has agreed: programs and confinement.

The areas are those of XML in documents, so that a field lets nobody do what XML wouldn't, and the other way round.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from specs import canonical

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredVirtualMachine, VirtualMachineSpec

# Where distributions have QEMU's own emulators.
_USUAL_EMULATOR: Final = re.compile(r"/usr/(?:bin|libexec)/qemu-(?:system-[a-z0-9_]+|kvm)|/usr/bin/kvm")
_AREAS: Final = {"emulator": "hypervisor", "securityLabels": "security", "resourcePartition": "security"}
_WHATS: Final = {
    "emulator": "is a program of the host's that isn't QEMU as distributions have it",
    "securityLabels": "confines the machine otherwise than the host does by itself",
    "resourcePartition": "takes the machine out of what the host allots to all of them",
}


def without_consent(
    spec: VirtualMachineSpec, observed: LoweredVirtualMachine, areas: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """(field, sentence) of each that may not be said here. What the machine has already may stay."""
    for field, area in _AREAS.items():
        value = spec.get(field)
        if value is None or area in areas or not _reaches(field, value) or value == observed.get(field):
            continue
        yield (
            field,
            f"{field} {_WHATS[field]}; remove it, or let the host's administrator allow it by allow-xml ({area}) in "
            "onggi's settings",
        )


def _reaches(field: str, value: Any) -> bool:
    if field == "emulator":
        return _USUAL_EMULATOR.fullmatch(canonical.path(str(value))) is None
    return any(map(_loosens, value)) if field == "securityLabels" else True


def _loosens(label: Mapping[str, Any]) -> bool:
    """Whether a label is another one than the host makes for each machine."""
    return label["type"] != "dynamic" or "baselabel" in label
