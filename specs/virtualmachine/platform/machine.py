"""The machine itself in libvirt's XML: CPU model, architecture, machine type, serial console, and its words.

How much memory and how many processors it has is in `capacity`. What libvirt expands (q35 → pc-q35-7.2, host-model →
the model that a running guest got) reads as what it was expanded from.
"""

from __future__ import annotations

from specs.binding import Around, Element, child_at, element, set_text_at, text_at
from specs.bound import Bound, bound_to
from specs.declared_binds import binder
from specs.virtualmachine.compute.capacity import CAPACITY
from specs.virtualmachine.compute.cpu import CPU, cpu_mode, put_cpu_mode, same_cpu_mode
from specs.virtualmachine.compute.iothreads import IO_THREADS
from specs.virtualmachine.compute.modules import MODULES
from specs.virtualmachine.compute.numa import CELLS
from specs.virtualmachine.compute.schedulers import SCHEDULERS
from specs.virtualmachine.fields import SPEC
from specs.virtualmachine.platform.boot import BOOT_KINDS
from specs.virtualmachine.platform.features import FEATURES
from specs.virtualmachine.platform.firmware import FIRMWARE
from specs.virtualmachine.platform.lifecycle import LIFECYCLE
from specs.virtualmachine.storage.drives import move_to_sata

bind = binder(SPEC)


def _same_text(declared: str, observed: str) -> bool:
    """Equal, but for what XML doesn't keep: the kind of line ends, and text that is nothing but blanks."""
    lines = declared.replace("\r\n", "\n").replace("\r", "\n")
    return lines == observed or not (lines.strip() or observed.strip())


def _same_machine(declared: str, observed: str | None) -> bool:
    if observed is None or declared == observed:
        return declared == observed
    versioned = "pc-i440fx-" if declared == "pc" else f"pc-{declared}-"
    return observed.startswith((versioned, f"{declared}-")) and not (declared == "pc" and "i440fx" not in observed)


def _put_machine(root: Element, machine: str) -> None:
    before = text_at(root, "os/type/@machine") or ""
    set_text_at(root, "os/type/@machine", machine)
    if _chipset(before) != _chipset(machine):
        _forget_wiring(root)
        if _chipset(machine) == "q35":
            move_to_sata(root)


def _is_q35(machine: str, _element: Element | None = None) -> bool:
    return _chipset(machine) == "q35"


def _refuse_machine(machine: str, around: Around) -> str:
    stays = around.declared.get("firmware") != "bios" and around.declared.get("secureBoot") is not False
    if around.observed.get("secureBoot") and not _is_q35(machine) and stays:
        return "it boots securely, which only the machine type q35 can; keep q35, or declare `firmware: bios` too"
    return ""


def _refuse_arch(_arch: str, around: Around) -> str:
    """Why a machine that exists doesn't get other processors."""
    if not around.observed.get("arch"):
        return ""
    return (
        f"what is on its disks is made for {around.observed['arch']}, and other processors are another machine; keep "
        "that, or declare a new machine"
    )


def _chipset(machine: str) -> str:
    return "pc" if machine == "pc" or "i440fx" in machine else "q35" if "q35" in machine else machine


def _forget_wiring(root: Element) -> None:
    """Drop the addresses and controllers that belong to another chipset; libvirt lays them out anew."""
    for controller in root.findall("devices/controller"):
        if controller.get("type") in ("pci", "usb", "ide", "sata"):
            child_at(root, "devices").remove(controller)
    for address in root.findall("devices/*/address"):
        holder = address.getparent()
        if address.get("type") in ("pci", "usb", "isa") and holder is not None:
            holder.remove(address)


def _put_domain_type(root: Element, kind: str) -> None:
    root.set("type", kind)
    if kind != "kvm" and cpu_mode(root) == "host-passthrough":
        put_cpu_mode(root, "maximum")  # the nearest that emulation has


def _serial_parts(root: Element) -> list[Element]:
    consoles = [each for each in root.findall("devices/console") if text_at(each, "target/@type") in (None, "serial")]
    return [*root.findall("devices/serial"), *consoles]


def _put_serial(root: Element, wanted: bool) -> None:
    devices = child_at(root, "devices")
    for old in _serial_parts(root):
        devices.remove(old)
    if wanted:
        console = element("console", element("target", type="serial"), type="pty")
        first = devices.find("console")
        if first is None:
            devices.append(console)
        else:  # libvirt takes a serial port as nothing but the first console
            first.addprevious(console)
        console.addprevious(element("serial", type="pty"))


MACHINE = (
    bind("title", same=_same_text),
    bind("description", same=_same_text),
    bind(
        "domainType",
        "@type",
        put=_put_domain_type,
        bound=(bound_to({"qemu"}, "/features/tcg"), bound_to({"kvm"}, "/features/pvspinlock", "/launchSecurity")),
    ),
    bind("arch", "os/type/@arch", refuses=_refuse_arch),
    bind(
        "machine",
        "os/type/@machine",
        put=_put_machine,
        same=_same_machine,
        bound=(
            Bound(
                ("/devices/iommu[@model='intel']", "/features/smm/tseg", "/devices/watchdog[@model='itco']"), _is_q35
            ),
        ),
        refuses=_refuse_machine,
    ),
    *FIRMWARE,
    BOOT_KINDS,
    MODULES,
    *CAPACITY,
    CELLS,
    IO_THREADS,
    *SCHEDULERS,
    bind(
        "cpuMode",
        get=cpu_mode,
        put=put_cpu_mode,
        same=same_cpu_mode,
        bound=(bound_to({"host-passthrough", "maximum"}, "/cpu/maxphysaddr[@mode='passthrough']"),),
    ),
    *CPU,
    bind(
        "serialConsole",
        get=lambda root: root.find("devices/serial") is not None or bool(_serial_parts(root)),
        put=_put_serial,
        bound=(bound_to({True}, "/os/bios/@useserial"),),
    ),
    *FEATURES,
    *LIFECYCLE,
)
