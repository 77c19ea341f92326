"""A new virtual machine's XML with onggi's choices for what its document omits; the binds then write what it declares.

Everything here is a default at birth: once the machine exists nobody compares it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from specs.binding import Element, child_at, element
from specs.host import Host
from specs.virtualmachine.devices.graphics import LOOPBACK, add_console

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredVirtualMachine

_X86 = ("x86_64", "i686")
_CPU_MODE = {"kvm": "host-model", "qemu": "maximum"}
# q35 takes a hot-plugged device on a free root port only. About six are used up by the machine's own devices, and
# libvirt by itself leaves a single one free; its USB controller has four ports.
_ROOT_PORTS = 12
_USB_PORTS = 15


def skeleton(lowered: LoweredVirtualMachine, *, name: str, uid: str, host: Host) -> Element:
    """The `<domain>` before any declared field is written into it."""
    kind = lowered.get("domainType") or next(iter(host.domain_types), "qemu")
    if lowered.get("defaults") == "libvirt":
        return _bare(lowered, kind, name, uid)
    machine = lowered.get("machine") or _machine(lowered, host)
    devices = element("devices")
    root = element(
        "domain",
        element("name", name),
        element("uuid", uid),
        element("memory", "1024", unit="MiB"),
        element("currentMemory", "1024", unit="MiB"),
        element("vcpu", "1"),
        element("os", element("type", "hvm", arch=host.arch, **({"machine": machine} if machine else {}))),
        element("features", element("acpi"), *([element("apic")] if host.arch in _X86 else [])),
        element("clock", offset="utc"),
        element("on_poweroff", "destroy"),
        element("on_reboot", "restart"),
        element("on_crash", "destroy"),
        element("pm", element("suspend-to-mem", enabled="no"), element("suspend-to-disk", enabled="no")),
        devices,
        type=kind,
    )
    if not _has_boot_order(lowered):
        for device in ("hd", "cdrom"):
            child_at(root, "os").append(element("boot", dev=device))
    mode = lowered.get("cpuMode") or _CPU_MODE.get(kind)
    if mode is not None and mode != "default":
        root.append(element("cpu", mode=mode))
    if machine is not None and "q35" in machine:
        devices.append(element("controller", type="pci", index="0", model="pcie-root"))
        devices.extend(element("controller", type="pci", model="pcie-root-port") for _ in range(_ROOT_PORTS))
        devices.append(element("controller", type="usb", model="qemu-xhci", ports=str(_USB_PORTS)))
    if lowered.get("serialConsole", True):
        devices.append(element("serial", type="pty"))
        devices.append(element("console", element("target", type="serial"), type="pty"))
    devices.append(element("channel", element("target", type="virtio", name="org.qemu.guest_agent.0"), type="unix"))
    graphics = lowered.get("graphics", {})
    if graphics.get("type") != "none":
        devices.append(element("input", type="tablet", bus="usb"))
        add_console(root, graphics.get("type", "vnc"), graphics.get("listen", LOOPBACK))
    devices.append(element("memballoon", model="virtio"))
    devices.append(element("rng", element("backend", "/dev/urandom", model="random"), model="virtio"))
    return root


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


def _machine(lowered: LoweredVirtualMachine, host: Host) -> str | None:
    """The newer chipset, unless there are drives on a bus that only the older one has."""
    drives = (*lowered.get("disks", ()), *lowered.get("cdroms", ()))
    wanted = "pc" if any(drive.get("bus") == "ide" for drive in drives) else "q35"
    return wanted if wanted in host.machines else None


def _has_boot_order(lowered: LoweredVirtualMachine) -> bool:
    devices = (*lowered.get("disks", ()), *lowered.get("cdroms", ()), *lowered.get("interfaces", ()))
    return any("bootOrder" in device for device in devices)
