"""How a guest's disks and network cards are attached, by what its system is known to have drivers for.

Systems of the last decade have virtio's; of anything else nothing is known, and it gets what every system has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from specs.host import Host

_X86: Final = frozenset({"x86_64", "i686"})
# The first version that comes with virtio; () for a distribution that has no versions.
_SINCE: Final[Mapping[str, tuple[int, ...]]] = {
    "debian": (6,),
    "ubuntu": (7, 10),
    "opensuse": (10, 3),
    "centos": (5, 3),
    "rhel": (5, 3),
    "fedora": (16,),
    "sles": (11,),
    "gentoo": (),
    "arch": (),
}


@dataclass(frozen=True, slots=True)
class Attachment:
    """Words of a machine's document; empty ones are onggi's own choice (virtio, SATA for CD-ROMs) and left out."""

    machine: str = ""
    disk_bus: str = ""
    cdrom_bus: str = ""
    model: str = ""


def attachment(spec: Mapping[str, Any], host: Host) -> Attachment:
    """By `osDistro` and `osVersion`."""
    if host.arch not in _X86 or has_virtio(str(spec.get("osDistro") or ""), str(spec.get("osVersion") or "")):
        return Attachment()
    if "pc" in host.machines or not host.machines:
        return Attachment(machine="pc" if host.machines else "", disk_bus="ide", cdrom_bus="ide", model="e1000")
    return Attachment(disk_bus="sata", model="e1000")


def has_virtio(distribution: str, version: str) -> bool:
    """Whether a system is known to have virtio's drivers. A version that is no number (sid) is a late one."""
    since = _SINCE.get(distribution.lower())
    if since is None or version.lower() == "unknown":
        return False
    numbers = tuple(int(part[:9]) for part in re.findall(r"[0-9]+", version))
    return not numbers or numbers >= since
