"""How a guest's disks and network cards are attached, by what its system is known to lack drivers for.

Systems of the last decade have virtio's, and so a guest of whose system nothing is known gets them as well: what it
would run slowly with is chosen only where the template says that its system is an older one, or one without virtio.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from specs.host import Host

if TYPE_CHECKING:
    from specs.virtualmachine.spec import VirtualMachineSpec

_X86: Final = frozenset({"x86_64", "i686"})
# The first version that comes with virtio. One that isn't listed, or has no versions, is taken for a late one.
_SINCE: Final[Mapping[str, tuple[int, ...]]] = {
    "debian": (6,),
    "ubuntu": (7, 10),
    "opensuse": (10, 3),
    "centos": (5, 3),
    "rhel": (5, 3),
    "fedora": (16,),
    "sles": (11,),
}
# Systems that come without virtio's drivers in any version, by how their names begin.
_WITHOUT: Final = ("win", "microsoft", "msdos", "freedos", "os2", "reactos", "macos", "solaris")


@dataclass(frozen=True, slots=True)
class Attachment:
    """Words of a machine's document; empty ones are onggi's own choice (virtio, SATA for CD-ROMs) and left out."""

    machine: str = ""
    disk_bus: str = ""
    cdrom_bus: str = ""
    model: str = ""


def attachment(spec: VirtualMachineSpec, host: Host) -> Attachment:
    """By `osDistro` and `osVersion`."""
    if host.arch not in _X86 or has_virtio(str(spec.get("osDistro") or ""), str(spec.get("osVersion") or "")):
        return Attachment()
    if "pc" in host.machines or not host.machines:
        return Attachment(machine="pc" if host.machines else "", disk_bus="ide", cdrom_bus="ide", model="e1000")
    return Attachment(disk_bus="sata", model="e1000")


def has_virtio(distribution: str, version: str) -> bool:
    """False for a system that is known to lack virtio's drivers. A version that is no number (sid) is a late one."""
    name = distribution.lower()
    if name.startswith(_WITHOUT):
        return False
    numbers = tuple(int(part[:9]) for part in re.findall(r"[0-9]+", version))
    return not numbers or numbers >= _SINCE.get(name, ())
