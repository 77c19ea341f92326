"""What libvirt puts into every definition of a machine by itself, so that no document has to say it.

Only what it always makes the same of the rest of the definition, and only where the machine has it so: what could
become another thing when the machine is made again stays in its document. `tests/corpus` has libvirt show that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from specs.binding import Element, child_at, element, set_text_at, text_at
from specs.host import Host

# (path, value) of what stands for its absence, whatever the machine.
_ALWAYS: Final = (
    ("vcpu/@placement", "static"),
    ("clock/@offset", "utc"),
    ("on_poweroff", "destroy"),
    ("on_reboot", "restart"),
    ("on_crash", "destroy"),
)
_X86: Final = frozenset({"x86_64", "i686"})
_EMULATORS: Final = {"i686": "i386", "ppc64le": "ppc64", "armv7l": "arm"}
_AHCI: Final = {"type": "pci", "domain": "0x0000", "bus": "0x00", "slot": "0x1f", "function": "0x2"}


def fill_in(made: Element, there: Element, host: Host) -> None:
    """Put into a rendered definition what libvirt will put in, as far as it is so in that of the machine."""
    for path, value in (*_ALWAYS, ("os/type/@arch", host.arch)):
        if text_at(made, path) is None and text_at(there, path) == value:
            set_text_at(made, path, value)
    arch = text_at(there, "os/type/@arch") or ""
    if text_at(made, "devices/emulator") is None and text_at(there, "devices/emulator") == _emulator(arch):
        child_at(made, "devices/emulator").text = _emulator(arch)
    if _boots_from_disk(made) and [each.get("dev") for each in there.iterfind("os/boot")] == ["hd"]:
        child_at(made, "os").append(element("boot", dev="hd"))
    for device in _devices(arch, text_at(there, "os/type/@machine") or ""):
        if _has(there, device) and not _has(made, device):
            child_at(made, "devices").append(device)


def _emulator(arch: str) -> str:
    return f"/usr/bin/qemu-system-{_EMULATORS.get(arch, arch)}"


def _boots_from_disk(made: Element) -> bool:
    """Nothing says what it boots from."""
    return made.find("os/boot") is None and made.find("devices/*/boot") is None


def _devices(arch: str, machine: str) -> Iterator[Element]:
    """The devices that are part of a chipset."""
    if arch not in _X86 or not machine.startswith("pc"):
        return
    yield element("input", type="mouse", bus="ps2")
    yield element("input", type="keyboard", bus="ps2")
    if "q35" in machine:
        yield element("controller", type="pci", index="0", model="pcie-root")
        yield element("controller", element("address", **_AHCI), type="sata", index="0")
    else:
        yield element("controller", type="pci", index="0", model="pci-root")


def _has(root: Element, device: Element) -> bool:
    """Whether there is exactly such a device."""
    return any(_said(each) == _said(device) for each in root.iterfind(f"devices/{device.tag}"))


def _said(device: Element) -> tuple[dict[str, str], list[tuple[str, dict[str, str]]]]:
    return _attributes(device), [(str(each.tag), _attributes(each)) for each in device if each.tag != "alias"]


def _attributes(element: Element) -> dict[str, str]:
    return {str(key): str(value) for key, value in element.attrib.items()}
