"""What an object has that no document can say: half-sentences for the comment in its file.

Everything stays in libvirt, but a document that was silent about it would promise a machine that it can't make again.
What libvirt and the usual tools give to every machine anyway isn't worth a line; whatever is neither that nor known to
documents is told, under its element's name if need be.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree

from specs.binding import Element, parse
from specs.declared import place, placed
from specs.reference import NETWORK, STORAGE_POOL, STORAGE_VOLUME, VIRTUAL_MACHINE
from specs.virtualmachine.fields import SPEC

_QEMU: Final = "{http://libvirt.org/schemas/domain/qemu/1.0}"

# What documents say, and what libvirt or onggi would put into a new one of the kind.
_SAID: Final = {
    VIRTUAL_MACHINE: frozenset(
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
        }
    ),
    NETWORK: frozenset({"name", "uuid", "metadata", "forward", "bridge", "mac", "domain", "dns", "ip"}),
    STORAGE_POOL: frozenset({"name", "uuid", "capacity", "allocation", "available", "source", "target"}),
    STORAGE_VOLUME: frozenset(
        {"name", "key", "capacity", "allocation", "physical", "source", "target", "backingStore"}
    ),
}
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
        "channel",
        "graphics",
        "video",
        "audio",
        "memballoon",
        "rng",
    }
)
_AT_PATHS: Final = frozenset(
    path.split("/")[1] for _, field in placed(SPEC) for path in [place(field)] if path.startswith("devices/")
)
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
        "shareable",
        "auth",
    }
)
_DRIVER: Final = frozenset({"name", "type", "discard"})
_NIC: Final = frozenset(
    {"mac", "source", "model", "boot", "address", "alias", "link", "target", "driver", "guest", "host", "backend"}
)
_FEATURES: Final = frozenset({"acpi", "apic", "pae", "vmport", "smm", "gic", "pmu"})
_CHANNELS: Final = ("org.qemu.guest_agent.", "com.redhat.spice.", "org.spice-space.")
_OFF: Final = {"on_poweroff": "destroy", "on_reboot": "restart"}
_WORDS: Final = {
    "genid": "its generation id",
    "sysinfo": "its SMBIOS texts",
    "memtune": "the limits of its memory",
    "memoryBacking": "what its memory is made of (huge pages, sharing, locking)",
    "numatune": "its NUMA placement",
    "cputune": "its CPU pinning and shares",
    "blkiotune": "its weights in block I/O",
    "iothreads": "its I/O threads",
    "launchSecurity": "its encrypted memory",
    f"{_QEMU}commandline": "its own arguments for QEMU",
    "tpm": "its TPM",
    "sound": "its sound card",
    "vsock": "its vsock",
    "redirdev": "its USB redirection",
    "memory": "a memory module",
    "iommu": "its IOMMU",
    "route": "its route",
    "bandwidth": "its bandwidth",
    "mtu": "its MTU",
    "virtualport": "its virtual port",
    "portgroup": "its port group",
    "encryption": "its encryption",
}


def unsaid(kind: str, xml: str) -> tuple[str, ...]:
    """Half-sentences, in the order of the definition."""
    root = parse(xml)
    found = [_word(each) for each in _elements(root) if each.tag not in _SAID[kind]]
    if kind == VIRTUAL_MACHINE:
        found += _machine(root)
    elif kind == NETWORK:
        found += _network(root)
    elif kind == STORAGE_VOLUME:
        found += [_word(each) for each in root.iterfind("target/encryption")]
    return tuple(dict.fromkeys(found))


def _elements(parent: Element) -> Iterator[Element]:
    return (each for each in parent if isinstance(each.tag, str))  # neither comments nor instructions


def _word(found: Element) -> str:
    """What an element is called; several of a kind are told apart by name."""
    tag = str(found.tag)
    word = _WORDS.get(tag) or f"its {etree.QName(tag).localname}"
    name = found.get("name") or found.get("address")
    return f"{word} {name}" if name else word


def _machine(root: Element) -> Iterator[str]:
    for pinned in root.iterfind("vcpu[@cpuset]"):
        yield f"the host's CPUs that it may use ({pinned.get('cpuset')})"
    clock = root.find("clock")
    if clock is not None and clock.get("offset", "utc") != "utc":
        yield f"its clock ({clock.get('offset')})"
    for tag, usual in _OFF.items():
        if root.findtext(tag, usual) != usual:
            yield f"{tag}: {root.findtext(tag)}"
    if root.find("os/kernel") is not None:
        yield "the kernel that it is started with, and its command line"
    if root.find("cpu/numa") is not None:
        yield "its NUMA cells"
    if root.find("cpu/feature") is not None:
        yield "the features of its CPU"
    for feature in root.iterfind("features/*"):
        if feature.tag not in _FEATURES:
            yield f"its {feature.tag} features"
    for index, device in enumerate(root.iterfind("devices/graphics")):
        if index:
            yield f"its second console ({device.get('type')})"
    for device in root.iterfind("devices/*"):
        yield from _device(device)


def _device(device: Element) -> Iterator[str]:
    target = device.find("target")
    name = "" if target is None else target.get("dev") or target.get("dir") or target.get("name") or ""
    if device.tag == "disk":
        if device.get("device") == "floppy":
            yield f"the floppy drive {name}"
        else:
            yield from _options(f"the drive {name}", device, _DRIVE)
    elif device.tag == "interface":
        mac = device.find("mac")
        yield from _options(f"the interface {mac.get('address') if mac is not None else ''}", device, _NIC)
    elif device.tag == "filesystem":
        yield f"the shared folder {name}"
    elif device.tag == "channel":
        if name and not name.startswith(_CHANNELS):
            yield f"the channel {name}"
    elif device.tag not in _DEVICES and device is not _said_by_path(device):
        yield _word(device)


def _said_by_path(device: Element) -> Element | None:
    """The first device of a kind that a declared path leads to: what documents say is about that one."""
    return device.getroottree().getroot().find(f"devices/{device.tag}") if device.tag in _AT_PATHS else None


def _options(whose: str, device: Element, said: frozenset[str]) -> Iterator[str]:
    """Of a drive or an interface that itself has words: what about it has none."""
    found = [str(each.tag) for each in _elements(device) if each.tag not in said]
    driver = device.find("driver")
    if driver is not None:
        found += [f"{key}={driver.get(key)}" for key in map(str, driver.attrib) if key not in _DRIVER]
    if found:
        yield f"of {whose}: {', '.join(dict.fromkeys(found))}"


def _network(root: Element) -> Iterator[str]:
    addresses = root.findall("ip")
    first = next((each for each in addresses if each.get("family", "ipv4") == "ipv4"), None)
    for each in addresses:
        if each is not first:
            yield f"its addresses around {each.get('address')}"
    for tag in ("tftp", "dhcp/bootp"):
        if first is not None and first.find(tag) is not None:
            yield f"its {tag.rpartition('/')[2]}"
    if root.find("forward/nat") is not None:
        yield "the options of its address translation"
