"""The machine itself in libvirt's XML: memory, processors, CPU model, machine type, firmware, serial console.

Memory is in MiB. What libvirt expands (q35 → pc-q35-7.2, host-model → the model that a running guest got) reads as
what it was expanded from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lxml import etree

from specs.binding import Element, Field, Spec, child_at, drop_attributes, set_text_at, text_at
from specs.codecs import INTEGER, bytes_of
from specs.effect import Effect

_MIB = 1 << 20
_MEMORY, _CURRENT_MEMORY = "memory", "currentMemory"
_EXPANDED = "expanded"  # a running guest's CPU that libvirt chose: from host-model, or because none was asked for
# What libvirt writes for a guest that asks for no CPU, in the definition itself since libvirt 6.
_PLAIN_MODELS = frozenset({"qemu64", "qemu32", "kvm64", "kvm32", "cortex-a15", "qemu"})


def _same_text(declared: str, observed: str) -> bool:
    """Equal, but for what XML doesn't keep: the kind of line ends, and text that is nothing but blanks."""
    lines = declared.replace("\r\n", "\n").replace("\r", "\n")
    return lines == observed or not (lines.strip() or observed.strip())


def _mebibytes(root: Element, path: str) -> int | float | None:
    element = root.find(path)
    count = None if element is None else bytes_of(element.text or "", element.get("unit") or "KiB")
    if count is None:
        return None
    return count // _MIB if count % _MIB == 0 else count / _MIB


def _maximum_memory(root: Element) -> int | float | None:
    return _mebibytes(root, _MEMORY)


def _memory(root: Element) -> int | float | None:
    current = _mebibytes(root, _CURRENT_MEMORY)
    return _maximum_memory(root) if current is None else current


def _put_memory(root: Element, mebibytes: int) -> None:
    maximum = _maximum_memory(root)
    # Room above the present size is somebody's intention, for the balloon; without any, both move together.
    if maximum is None or maximum < mebibytes or maximum == _memory(root):
        _set_mebibytes(root, _MEMORY, mebibytes)
    _set_mebibytes(root, _CURRENT_MEMORY, mebibytes)


def _set_mebibytes(root: Element, path: str, mebibytes: int) -> None:
    element = child_at(root, path)
    element.text = str(mebibytes)
    element.set("unit", "MiB")


def _memory_effect(_old: Any, new: int, observed: Spec) -> Effect:
    return Effect.LIVE if new <= (observed.get("maximumMemory") or 0) else Effect.NEXT_BOOT


def _maximum_cpus(root: Element) -> int | None:
    count = text_at(root, "vcpu")
    return 1 if count is None else INTEGER.decode(count)


def _cpus(root: Element) -> int | None:
    current = text_at(root, "vcpu/@current")
    return _maximum_cpus(root) if current is None else INTEGER.decode(current)


def _put_cpus(root: Element, count: int) -> None:
    vcpu = child_at(root, "vcpu")
    maximum = _maximum_cpus(root) or 0
    roomy = _cpus(root) != maximum
    for each in root.findall("vcpus"):  # the state of each one, which libvirt works out anew
        root.remove(each)
    if roomy and count < maximum:
        vcpu.set("current", str(count))
        return
    drop_attributes(vcpu, "current")
    vcpu.text = str(count)
    topology = _topology(root)
    if topology is not None and _product(topology) != count:
        set_text_at(root, "cpu/topology", None)


def _cpus_effect(old: int | None, new: int, observed: Spec) -> Effect:
    hot = old is not None and old < new <= (observed.get("maximumCpus") or 0)
    return Effect.LIVE if hot else Effect.NEXT_BOOT


def _topology(root: Element) -> dict[str, int] | None:
    element = root.find("cpu/topology")
    if element is None:
        return None
    counts = {str(key): INTEGER.decode(str(value)) or 1 for key, value in element.attrib.items()}
    # `dies` and `clusters` of 1 are libvirt's filling; more of them make another machine.
    return {key: count for key, count in counts.items() if count != 1 or key in ("sockets", "cores", "threads")}


def _put_topology(root: Element, topology: Mapping[str, int]) -> None:
    set_text_at(root, "cpu/topology", None)
    element = child_at(root, "cpu/topology")
    for key in ("sockets", "cores", "threads"):
        element.set(key, str(topology[key]))
    vcpu, count = child_at(root, "vcpu"), _product(topology)
    if (_cpus(root) or 0) >= count:
        drop_attributes(vcpu, "current")
    vcpu.text = str(count)


def _product(topology: Mapping[str, int]) -> int:
    product = 1
    for count in topology.values():
        product *= count
    return product


def _cpu_mode(root: Element) -> str:
    cpu = root.find("cpu")
    mode = None if cpu is None else cpu.get("mode")
    if cpu is None or (mode is None and cpu.find("model") is None):
        return "default"
    if mode not in (None, "custom"):
        return str(mode)
    if root.get("id") is not None and cpu.get("check") == "full":
        return _EXPANDED
    plain = text_at(cpu, "model") in _PLAIN_MODELS and cpu.get("check") == "none" and cpu.find("feature") is None
    return "default" if plain else "custom"


def _put_cpu_mode(root: Element, mode: str) -> None:
    cpu = child_at(root, "cpu")
    drop_attributes(cpu, "mode", "match", "check", "migratable")
    for path in ("model", "vendor", "cache", *(("feature",) if mode == "default" else ())):
        for old in cpu.findall(path):
            cpu.remove(old)
    if mode != "default":
        cpu.set("mode", mode)
    elif len(cpu) == 0:
        root.remove(cpu)


def _same_cpu_mode(declared: str, observed: str) -> bool:
    return declared == observed or (observed == _EXPANDED and declared in ("host-model", "default"))


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


def _firmware(root: Element) -> str:
    system = root.find("os")
    if system is None:
        return "bios"
    flash = system.find("loader[@type='pflash']") is not None
    return "uefi" if system.get("firmware") == "efi" or flash else "bios"


def _put_firmware(root: Element, firmware: str) -> None:
    system = child_at(root, "os")
    for path in ("loader", "nvram", "firmware"):
        for old in system.findall(path):
            system.remove(old)
    drop_attributes(system, "firmware")
    if firmware == "uefi":
        system.set("firmware", "efi")
        child_at(root, "features/acpi")


def _put_domain_type(root: Element, kind: str) -> None:
    root.set("type", kind)
    if kind != "kvm" and _cpu_mode(root) == "host-passthrough":
        _put_cpu_mode(root, "maximum")  # the nearest that emulation has


def _serial_parts(root: Element) -> list[Element]:
    consoles = [each for each in root.findall("devices/console") if text_at(each, "target/@type") in (None, "serial")]
    return [*root.findall("devices/serial"), *consoles]


def _put_serial(root: Element, wanted: bool) -> None:
    devices = child_at(root, "devices")
    for old in _serial_parts(root):
        devices.remove(old)
    if wanted:
        etree.SubElement(devices, "serial", type="pty")
        etree.SubElement(etree.SubElement(devices, "console", type="pty"), "target", type="serial")


def _read_only(_root: Element, _value: Any) -> None:
    """`maximum…` is observed, so that a change's effect is known; nobody declares it."""


MACHINE = (
    Field("title", "title", missing="", same=_same_text),
    Field("description", "description", missing="", same=_same_text),
    Field("domainType", "@type", effect=Effect.NEXT_BOOT, put=_put_domain_type),
    Field("machine", "os/type/@machine", effect=Effect.NEXT_BOOT, put=_put_machine, same=_same_machine),
    Field("firmware", get=_firmware, put=_put_firmware, effect=Effect.NEXT_BOOT),
    Field("maximumMemory", get=_maximum_memory, put=_read_only),
    Field("memory", get=_memory, put=_put_memory, effect_in=_memory_effect),
    Field("maximumCpus", get=_maximum_cpus, put=_read_only),
    Field("cpus", get=_cpus, put=_put_cpus, effect_in=_cpus_effect),
    Field("cpuMode", get=_cpu_mode, put=_put_cpu_mode, effect=Effect.NEXT_BOOT, same=_same_cpu_mode),
    Field("cpuTopology", get=_topology, put=_put_topology, effect=Effect.NEXT_BOOT),
    Field("serialConsole", get=lambda root: bool(_serial_parts(root)), put=_put_serial, effect=Effect.NEXT_BOOT),
)
