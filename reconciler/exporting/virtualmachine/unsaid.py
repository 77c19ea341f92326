"""What a machine has that no document can say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from reconciler.exporting.unsaid import elements, word
from specs.binding import Element
from specs.declared import place, placed
from specs.elements import elements_at
from specs.virtualmachine.fields import SPEC
from specs.virtualmachine.storage.fields import DISK

SAID: Final = frozenset(
    {
        "name",
        "uuid",
        "title",
        "description",
        "metadata",
        "memory",
        "maxMemory",
        "currentMemory",
        "vcpu",
        "vcpus",
        "os",
        "features",
        "cpu",
        "clock",
        "on_poweroff",
        "on_reboot",
        "on_crash",
        "pm",
        "resource",
        "devices",
        "seclabel",
        "iothreadids",
        *(place(field).split("/")[0] for _, field in placed(SPEC)),
    }
)
_DEVICES: Final = frozenset(
    {
        "emulator",
        "disk",
        "interface",
        "hostdev",
        "controller",
        "input",
        "serial",
        "console",
        "graphics",
        "redirfilter",
    }
)
_PLACED: Final = [field for _, field in placed(SPEC) if place(field).startswith("devices/")]
_AT_PATHS: Final = frozenset(place(field).split("/")[1] for field in _PLACED if (field.base or field).item is None)
_LISTS: Final = tuple(elements_at(place(field)) for field in _PLACED if (field.base or field).item is not None)
_PATHS: Final = tuple(place(field) for _, field in placed(DISK))
_DRIVE: Final = frozenset(
    {
        "driver",
        "source",
        "target",
        "boot",
        "address",
        "alias",
        "readonly",
        "backingStore",
        "mirror",
        "iotune",
        "auth",
        *(path.split("/")[0] for path in _PATHS if "@" not in path.split("/")[0]),
    }
)
_DRIVER: Final = frozenset({"name", "type", *(path.split("@")[1] for path in _PATHS if path.startswith("driver/@"))})
_NIC: Final = frozenset(
    {"mac", "source", "model", "boot", "address", "alias", "link", "target", "driver", "guest", "host", "backend"}
)
_FEATURES: Final = frozenset({"acpi", "apic", "pae", "vmport", "smm", "gic", "pmu"})
_OFF: Final = {"on_poweroff": "destroy", "on_reboot": "restart"}


def unsaid(root: Element) -> Iterator[str]:
    """Half-sentences, in the order of the definition."""
    clock = root.find("clock")
    if clock is not None and clock.get("offset", "utc") != "utc":
        yield f"its clock ({clock.get('offset')})"
    for tag, usual in _OFF.items():
        if root.findtext(tag, usual) != usual:
            yield f"{tag}: {root.findtext(tag)}"
    if root.find("os/kernel") is not None:
        yield "the kernel that it is started with, and its command line"
    for feature in root.iterfind("features/*"):
        if feature.tag not in _FEATURES:
            yield f"its {feature.tag} features"
    for device in root.iterfind("devices/*"):
        yield from _device(device, root)


def _device(device: Element, machine: Element) -> Iterator[str]:
    target = device.find("target")
    name = "" if target is None else target.get("dev") or target.get("dir") or target.get("name") or ""
    if device.tag == "disk":
        yield from _options(f"the drive {name}", device, _DRIVE)
    elif device.tag == "interface":
        mac = device.find("mac")
        yield from _options(f"the interface {mac.get('address') if mac is not None else ''}", device, _NIC)
    elif device.tag not in _DEVICES and not _is_said(device, machine):
        yield word(device)


def _is_said(device: Element, machine: Element) -> bool:
    """Whether it is in a list that is declared, or the first of a kind that a declared path leads to."""
    if any(device.tag == each.tag and each.hold(device) for each in _LISTS):
        return True
    return device.tag in _AT_PATHS and device is machine.find(f"devices/{device.tag}")


def _options(whose: str, device: Element, said: frozenset[str]) -> Iterator[str]:
    """Of a drive or an interface that itself has words: what about it has none."""
    found = [str(each.tag) for each in elements(device) if each.tag not in said]
    driver = device.find("driver")
    if driver is not None:
        found += [f"{key}={driver.get(key)}" for key in map(str, driver.attrib) if key not in _DRIVER]
    if found:
        yield f"of {whose}: {', '.join(dict.fromkeys(found))}"
