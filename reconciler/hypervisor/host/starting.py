"""What machines of a host can be started with: firmware, and memory that the host can't read."""

from __future__ import annotations

import libvirt

from reconciler.hypervisor.failure import is_unsupported
from specs.binding import Element, parse

_PROTECTED = {"sev": "sev", "s390-pv": "s390-pv"}  # libvirt's names of features, and of what they protect


def starts_with(connection: libvirt.virConnect, arch: str, machine: str | None) -> frozenset[str] | None:
    """Of `specs.host.Host.starts_with` whatever there is; None where the driver doesn't tell."""
    try:
        offered = parse(connection.getDomainCapabilities(None, arch, machine, None))
    except libvirt.libvirtError as error:
        if is_unsupported(error):
            return None
        raise
    return frozenset(_found(offered))


def _found(offered: Element) -> set[str]:
    found = {
        word for name, word in _PROTECTED.items() if offered.find(f"features/{name}[@supported='yes']") is not None
    }
    if "efi" in _values(offered, "os/enum[@name='firmware']/value"):
        found.add("uefi")
        if "yes" in _values(offered, "os/loader/enum[@name='secure']/value"):
            found.add("secure-boot")
    return found


def _values(offered: Element, path: str) -> set[str]:
    return {each.text or "" for each in offered.iterfind(path)}
