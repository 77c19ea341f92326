"""A new virtual machine's XML with onggi's choices for what its document omits; the binds then write what it declares.

Everything here is a default at birth: once the machine exists nobody compares it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from specs.binding import Element, child_at, element
from specs.host import Host
from specs.virtualmachine.devices.graphics import LOOPBACK, add_console

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredVirtualMachine

_X86 = ("x86_64", "i686")
_ARM = ("aarch64", "armv7l")
_CPU_MODE = {"kvm": "host-model", "qemu": "maximum"}
_PLAIN_CPU = ("ppc64", "ppc64le", "riscv64", "riscv32")  # of which no mode tells a best one
_MACHINES = {"s390x": "s390-ccw-virtio", "ppc64": "pseries", "ppc64le": "pseries"}
_USUAL_MACHINE = "virt"
# q35 takes a hot-plugged device on a free root port only, and so does virt. About six are used up by the machine's own
# devices, and libvirt by itself leaves a single one free; its USB controller has four ports.
_ROOT_PORTS = 12
_USB_PORTS = 15


def skeleton(lowered: LoweredVirtualMachine, *, name: str, uid: str, host: Host) -> Element:
    """The `<domain>` before any declared field is written into it."""
    arch = lowered.get("arch") or host.arch
    kind = lowered.get("domainType") or _domain_type(arch, host)
    if lowered.get("defaults") == "libvirt":
        return _bare(lowered, kind, name, uid)
    machine = lowered.get("machine") or _machine(lowered, arch, host)
    devices = element("devices")
    root = element(
        "domain",
        element("name", name),
        element("uuid", uid),
        element("memory", "1024", unit="MiB"),
        element("currentMemory", "1024", unit="MiB"),
        element("vcpu", "1"),
        element("os", element("type", "hvm", arch=arch, **({"machine": machine} if machine else {}))),
        *_features(arch, uefi=(uefi := _is_uefi(lowered, arch))),
        element("clock", offset="utc"),
        element("on_poweroff", "destroy"),
        element("on_reboot", "restart"),
        element("on_crash", "destroy"),
        *_sleep(arch),
        devices,
        type=kind,
    )
    if uefi:
        child_at(root, "os").set("firmware", "efi")
    if not _has_boot_order(lowered):
        for device in ("hd", "cdrom"):
            child_at(root, "os").append(element("boot", dev=device))
    mode = lowered.get("cpuMode") or _cpu_mode(kind, arch)
    if mode is not None and mode != "default":
        root.append(element("cpu", mode=mode))
    has_usb = arch != "s390x"
    if machine is not None and ("q35" in machine or _has_pcie(arch, machine)):
        devices.append(element("controller", type="pci", index="0", model="pcie-root"))
        devices.extend(element("controller", type="pci", model="pcie-root-port") for _ in range(_ROOT_PORTS))
        devices.append(element("controller", type="usb", model="qemu-xhci", ports=str(_USB_PORTS)))
    if lowered.get("serialConsole", True):
        devices.append(element("serial", type="pty"))
        devices.append(element("console", element("target", type="serial"), type="pty"))
    devices.append(element("channel", element("target", type="virtio", name="org.qemu.guest_agent.0"), type="unix"))
    graphics = lowered.get("graphics", {})
    if graphics.get("type") != "none":
        devices.append(element("input", type="tablet", bus="usb" if has_usb else "virtio"))
        if arch not in _X86:  # where no PS/2 brings one along
            devices.append(element("input", type="keyboard", bus="usb" if has_usb else "virtio"))
        add_console(root, graphics.get("type", "vnc"), graphics.get("listen", LOOPBACK))
    devices.append(element("memballoon", model="virtio"))
    devices.append(element("rng", element("backend", "/dev/urandom", model="random"), model="virtio"))
    return root


def _is_uefi(lowered: LoweredVirtualMachine, arch: str) -> bool:
    """Whether a machine that doesn't say what boots it gets UEFI, as ARM's have."""
    return arch in _ARM and not {"firmware", "loader", "kernelBoot"} & lowered.keys()


def _features(arch: str, *, uefi: bool) -> Iterator[Element]:
    """How the guest learns what there is: by ACPI, which ARM has from UEFI alone."""
    if arch in _X86:
        yield element("features", element("acpi"), element("apic"))
    elif uefi:
        yield element("features", element("acpi"))


def _sleep(arch: str) -> Iterator[Element]:
    if arch in _X86:
        yield element("pm", element("suspend-to-mem", enabled="no"), element("suspend-to-disk", enabled="no"))


def _domain_type(arch: str, host: Host) -> str:
    """The best of the host's; for the processors of another one there is emulation alone."""
    own = arch == host.arch or (host.arch == "x86_64" and arch == "i686")
    return next(iter(host.domain_types), "qemu") if own else "qemu"


def _cpu_mode(kind: str, arch: str) -> str | None:
    if arch in _PLAIN_CPU:
        return None
    if kind == "kvm" and arch in _ARM:
        return "host-passthrough"  # libvirt knows no model of ARM's
    return _CPU_MODE.get(kind)


def _has_pcie(arch: str, machine: str) -> bool:
    return arch in ("aarch64", "riscv64") and machine.startswith(_USUAL_MACHINE)


def _bare(lowered: LoweredVirtualMachine, kind: str, name: str, uid: str) -> Element:
    """Only what libvirt takes no machine without; all else is as the document says, or as libvirt makes it."""
    devices = element("devices")
    if (console := lowered.get("graphics", {}).get("type", "none")) != "none":
        devices.append(element("graphics", type=console))  # its video card too is libvirt's choice
    return element(
        "domain",
        element("name", name),
        element("uuid", uid),
        element("memory", "1024", unit="MiB"),
        element("currentMemory", "1024", unit="MiB"),
        element("vcpu", "1"),
        element("os", element("type", "hvm")),
        devices,
        type=kind,
    )


def _machine(lowered: LoweredVirtualMachine, arch: str, host: Host) -> str | None:
    """On x86 the newer chipset, unless there are drives on a bus that only the older one has."""
    if arch not in _X86:
        return _MACHINES.get(arch, _USUAL_MACHINE)
    drives = (*lowered.get("disks", ()), *lowered.get("cdroms", ()))
    wanted = "pc" if any(drive.get("bus") == "ide" for drive in drives) else "q35"
    return wanted if wanted in host.machines else None


def _has_boot_order(lowered: Mapping[str, Any]) -> bool:
    lists = ("disks", "cdroms", "interfaces", "hostDevices", "redirdevs", "filesystems")
    return any("bootOrder" in device for name in lists for device in lowered.get(name, ()))
