"""What of a machine's platform a definition says in other words than a document: files for volumes, and what the host
has for an architecture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from specs import canonical
from specs.host import Host
from specs.problem import Unrenderable
from specs.reference import Ref

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
    if lowered.get("launchSecurity", {}).get("type") == "sev":
        lowered["launchSecurity"].setdefault("policy", SEV_POLICY)
    if "kernelBoot" in lowered:
        boot = lowered["kernelBoot"]  # a copy already
        for name in BOOT_FILES:
            if name in boot:
                boot[name] = _file(str(boot[name]), host)


def _file(named: str, host: Host) -> str:
    """The path of a file, or of a volume."""
    if named.startswith("/"):
        return canonical.path(named)
    ref = Ref.volume_named(named, "default")
    source = host.volume_source(ref)
    if source is None:
        raise Unrenderable(f"The volume {ref.name} isn't on this host; make it, or name another one.")
    return source.path
