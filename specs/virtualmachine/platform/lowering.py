"""What of a machine's platform a definition says in other words than a document: files for volumes, and what the host
has for an architecture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from specs import canonical
from specs.host import Host
from specs.problem import Unrenderable
from specs.reference import Ref
from specs.virtualmachine.platform.confinement_fields import EVENTS

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredVirtualMachine, VirtualMachineSpec

BOOT_FILES: Final[tuple[Literal["kernel", "initrd", "dtb"], ...]] = ("kernel", "initrd", "dtb")

SEV_POLICY: Final = 3  # the guest's memory is shown to no debugger, and no other guest has its key


def lower_platform(lowered: LoweredVirtualMachine, declared: VirtualMachineSpec, host: Host) -> None:
    """Change `lowered` in place. Raises Unrenderable for what this host can't do or doesn't know."""
    arch = declared.get("arch")
    if arch is not None and host.emulators and arch not in host.emulators:
        raise Unrenderable(
            f"This host has no emulator for {arch}, only for {', '.join(sorted(host.emulators))}; install QEMU's for "
            "it there, or move the document to a host that has one."
        )
    protection = declared.get("launchSecurity", {}).get("type")
    if protection is not None and host.starts_with is not None and protection not in host.starts_with:
        raise Unrenderable(
            f"This host can't keep a machine's memory from itself by {protection}; enable that in its firmware and its "
            "kernel, or move the document to a host that can."
        )
    if protection == "sev":
        lowered["launchSecurity"].setdefault("policy", SEV_POLICY)
    if "perfEvents" in lowered:
        lowered["perfEvents"] = sorted(lowered["perfEvents"], key=EVENTS.index)  # the order in which libvirt has them
    if "kernelBoot" in lowered:
        boot = lowered["kernelBoot"]  # a copy already
        for name in BOOT_FILES:
            if name in boot:
                boot[name] = _file(str(boot[name]), host)


def missing_firmware(declared: VirtualMachineSpec, host: Host) -> str:
    """The sentence about firmware that a machine is to start with and the host lacks; empty where it has it."""
    if host.starts_with is None or declared.get("arch", host.arch) != host.arch:
        return ""
    if declared.get("firmware") != "uefi" or "path" in declared.get("loader", {}):
        return ""
    if "uefi" not in host.starts_with:
        return (
            "The host has no UEFI for machines; install OVMF (Debian's package ovmf) there, or write `firmware: bios`."
        )
    if declared.get("secureBoot") and "secure-boot" not in host.starts_with:
        return (
            "The host has no UEFI that can boot securely; install one there (Debian's package ovmf has it), or remove "
            "`secureBoot`."
        )
    return ""


def _file(named: str, host: Host) -> str:
    """The path of a file, or of a volume."""
    if named.startswith("/"):
        return canonical.path(named)
    ref = Ref.volume_named(named, "default")
    source = host.volume_source(ref)
    if source is None:
        raise Unrenderable(f"The volume {ref.name} isn't on this host; make it, or name another one.")
    return source.path
