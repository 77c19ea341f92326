"""The files of the host that a machine's platform names beside those that are declared as such: its firmware, which may
be the host's own, and a kernel, which may be a volume.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from specs.host_paths import refused
from specs.virtualmachine.platform.lowering import BOOT_FILES

if TYPE_CHECKING:
    from specs.virtualmachine.spec import VirtualMachineSpec

# Where distributions put what QEMU boots machines with: anybody may read it, and none of it is anybody's secret.
FIRMWARE_FOLDERS: Final = (
    *("/usr/share/OVMF", "/usr/share/AAVMF", "/usr/share/ovmf", "/usr/share/edk2", "/usr/share/edk2-ovmf"),
    *("/usr/share/edk2-armvirt", "/usr/share/qemu", "/usr/share/qemu-efi-aarch64", "/usr/share/qemu-efi-arm"),
    *("/usr/share/qemu-efi-riscv64", "/usr/share/seabios", "/usr/share/seavgabios", "/usr/share/slof"),
)


def refused_files(spec: VirtualMachineSpec, allowed: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(JSON pointer, sentence) of each that no document may name."""
    named = [
        (f"/{holder}/{name}", str(value), (*allowed, *FIRMWARE_FOLDERS))
        for holder, name, value in (
            ("loader", "path", spec.get("loader", {}).get("path")),
            ("nvram", "template", spec.get("nvram", {}).get("template")),
        )
        if value is not None
    ]
    boot = spec.get("kernelBoot", {})
    named += [
        (f"/kernelBoot/{name}", str(boot[name]), tuple(allowed))
        for name in BOOT_FILES
        if name in boot and str(boot[name]).startswith("/")
    ]
    for pointer, path, folders in named:
        if why := refused(path, folders):
            yield pointer, why


def is_the_hosts(path: str) -> bool:
    """Whether a file is firmware that the host's other machines start with too."""
    return not refused(path, FIRMWARE_FOLDERS)
