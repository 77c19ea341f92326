"""From what an author writes to what the XML says: sizes as numbers, volumes as places, MAC addresses derived.

No default is added: a field that the document omits stays omitted, and so unmanaged. What isn't in the XML (power,
autostart, access, policies) is left out. Templates, new disks and cloud-init were expanded before.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from specs import canonical
from specs.carried import carried
from specs.codecs import bytes_of
from specs.host import Host, NodeDevice
from specs.problem import Unrenderable
from specs.virtualmachine.compute.lowering import lower_compute
from specs.virtualmachine.devices.graphics import IS_SET
from specs.virtualmachine.devices.hostdevice_fields import HOST_DEVICE
from specs.virtualmachine.devices.hostdevices import ADDRESS, KINDS
from specs.virtualmachine.fields import SPEC
from specs.virtualmachine.interfaces.fields import INTERFACE
from specs.virtualmachine.interfaces.names import interface_name
from specs.virtualmachine.platform.lowering import lower_platform
from specs.virtualmachine.storage.fields import CDROM, DISK, FLOPPY
from specs.virtualmachine.storage.sources import disk_source, path_source, text, url_source, volume_source

if TYPE_CHECKING:
    from specs.virtualmachine.spec import (
        Cdrom,
        Disk,
        Floppy,
        Graphics,
        HostDevice,
        Interface,
        IoLimits,
        LoweredCdrom,
        LoweredDisk,
        LoweredFloppy,
        LoweredGraphics,
        LoweredHostDevice,
        LoweredInterface,
        LoweredSource,
        LoweredVirtualMachine,
        VirtualMachineSpec,
    )


_MIB = 1 << 20
_PCI_NAME = re.compile(r"pci_([0-9a-f]{4,8})_([0-9a-f]{2})_([0-9a-f]{2})_([0-7])")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def lower(declared: VirtualMachineSpec, *, name: str, uid: str, host: Host) -> LoweredVirtualMachine:
    """The concrete spec that the binds compare; `memory` is in whole MiB, rounded up as QEMU does.

    Raises Unrenderable for what this host can't do or doesn't know.
    """
    lowered: LoweredVirtualMachine = carried(SPEC, declared)
    if "memory" in declared:
        lowered["memory"] = _mebibytes(declared["memory"])
    if "maximumMemory" in declared:
        lowered["maximumMemory"] = _mebibytes(declared["maximumMemory"])
    if (count := _cpus(declared)) is not None:
        lowered["cpus"] = count
    lower_compute(lowered, host)
    if "domainType" in declared:
        lowered["domainType"] = _domain_type(declared["domainType"], host)
    if "graphics" in declared:
        lowered["graphics"] = _graphics(declared["graphics"])
    if "disks" in declared:
        lowered["disks"] = [_disk(disk, host) for disk in declared["disks"]]
    if "cdroms" in declared:
        lowered["cdroms"] = [_cdrom(drive, place, host) for place, drive in enumerate(declared["cdroms"])]
    if "floppies" in declared:
        lowered["floppies"] = [_floppy(drive, place, host) for place, drive in enumerate(declared["floppies"])]
    if "interfaces" in declared:
        lowered["interfaces"] = _interfaces(declared["interfaces"], uid)
    if "hostDevices" in declared:
        lowered["hostDevices"] = [_host_device(device, host) for device in declared["hostDevices"]]
    lower_platform(lowered, declared, host)
    _refuse_control_characters(lowered, name)
    return lowered


@lru_cache(maxsize=4096)
def derived_mac(uid: str, interface: str) -> str:
    """A MAC address in QEMU's range that depends on nothing but the machine's identity and the interface's name."""
    digest = hashlib.sha256(f"{uid}/{interface}".encode()).digest()
    return "52:54:00:" + ":".join(f"{byte:02x}" for byte in digest[:3])


def mac_addresses(interfaces: Sequence[Interface], uid: str) -> list[str]:
    """The MAC address of each declared interface: as written, else as derived."""
    return [str(item.get("mac") or item["derivedMac"]) for item in _interfaces(interfaces, uid)]


def _mebibytes(memory: int | str) -> int:
    count = bytes_of(memory, "MiB")
    if count is None:
        raise Unrenderable(f"The memory {memory!r} isn't a size; write MiB, or a number with a unit such as 2GiB.")
    return -(-count // _MIB)


def _cpus(declared: VirtualMachineSpec) -> int | None:
    if "cpus" in declared:
        return int(declared["cpus"])
    topology = declared.get("cpuTopology")
    if topology is None or "maximumCpus" in declared:  # then it only says how many there could be
        return None
    return int(topology["sockets"] * topology.get("dies", 1) * topology["cores"] * topology["threads"])


def _graphics(declared: Graphics) -> LoweredGraphics:
    if declared.get("type") == "none":
        return {"type": "none"}
    lowered: LoweredGraphics = carried(SPEC["graphics"], declared)
    if "passwordFrom" in declared:
        lowered["passwordFrom"] = IS_SET
    return lowered


def _domain_type(wanted: str, host: Host) -> str:
    """libvirt's word. A host that is neither KVM nor QEMU (the test driver) has one type, which stands for both."""
    types = host.domain_types
    word = "kvm" if wanted == "kvm" else "qemu"
    if word in types:
        return word
    if types and not {"kvm", "qemu"} & set(types):
        return types[0]
    raise Unrenderable(
        f"This host can't run machines of the domain type {wanted!r}; enable it there, or leave domainType out."
    )


def _disk(disk: Disk, host: Host) -> LoweredDisk:
    lowered: LoweredDisk = carried(DISK, disk)
    lowered["source"] = disk_source(disk, host)
    _refuse_two_writers(disk, lowered["source"])
    if disk.get("device") == "lun" and "file" in lowered["source"]:
        raise Unrenderable(f"{text(lowered['source'])} is a file, and no LUN; write `device: disk`, or leave it out.")
    if "ioLimits" in disk:
        lowered["ioLimits"] = _in_bytes(disk["ioLimits"])
    return lowered


def _refuse_two_writers(disk: Disk, source: LoweredSource) -> None:
    kind = source.get("format", "raw")
    if disk.get("shareable") and not disk.get("readOnly") and kind != "raw":
        raise Unrenderable(
            f"{text(source)} is an image in the format {kind}, which several writers destroy; convert it to raw, or "
            "remove `shareable`."
        )


def _in_bytes(limits: IoLimits) -> Any:
    """Each limit as a number, whichever there are."""
    return {word: bytes_of(str(limit)) for word, limit in limits.items()}


def _floppy(drive: Floppy, place: int, host: Host) -> LoweredFloppy:
    lowered: LoweredFloppy = carried(FLOPPY, drive)
    lowered.setdefault("target", f"fd{chr(ord('a') + place)}")
    if "volume" in drive:
        pool, _, volume = drive["volume"].partition("/")
        lowered["source"] = volume_source(pool, volume, host)
    else:
        lowered["source"] = path_source(drive["path"]) if "path" in drive else {}
    return lowered


def _cdrom(drive: Cdrom, place: int, host: Host) -> LoweredCdrom:
    lowered: LoweredCdrom = carried(CDROM, drive)
    lowered.setdefault("name", f"cdrom{place}")
    if "volume" in drive:
        pool, _, volume = drive["volume"].partition("/")
        lowered["source"] = volume_source(pool, volume, host)
    elif "path" in drive:
        lowered["source"] = path_source(drive["path"])
    else:
        lowered["source"] = url_source(drive["url"]) if "url" in drive else {}
    return lowered


def _interfaces(interfaces: Sequence[Interface], uid: str) -> list[LoweredInterface]:
    seen: Counter[str] = Counter()
    lowered = []
    for interface in interfaces:
        item: LoweredInterface = carried(INTERFACE, interface)
        name = interface_name(interface)
        # The second one on a network is another card; the first keeps its address when a second comes.
        identity = f"{name}#{seen[name]}" if seen[name] else name
        seen[name] += 1
        if "mac" in interface:
            item["mac"] = canonical.mac(interface["mac"])
        else:
            item["derivedMac"] = derived_mac(uid, identity)
        lowered.append(item)
    return lowered


def missing_devices(declared: VirtualMachineSpec, host: Host) -> tuple[str, ...]:
    """Of the declared host devices those that the host doesn't have now, such as a USB stick that was pulled out."""
    names = (str(device["device"]) for device in declared.get("hostDevices") or () if "device" in device)
    return tuple(name for name in names if _found_device(name, host) is None)


def no_device(name: str) -> str:
    """The sentence about one of them."""
    return f"The host has no PCI, USB or SCSI device {name!r} now; plug it in, or name one of `virsh nodedev-list`."


def _found_device(name: str, host: Host) -> NodeDevice | None:
    known = host.node_devices.get(name)
    if known is None and (match := _PCI_NAME.fullmatch(name)):
        numbers = (int(part, 16) for part in match.groups())
        known = NodeDevice(name, "pci", dict(zip(("domain", "bus", "slot", "function"), numbers, strict=True)))
    return known if known is not None and known.kind in ("pci", "usb", "scsi") else None


def _host_device(device: HostDevice, host: Host) -> LoweredHostDevice:
    lowered: LoweredHostDevice = carried(HOST_DEVICE, device)
    lowered |= {"type": "pci", "numbers": {}}
    if "pci" in device:
        numbers = (int(part, 16) for part in re.split("[:.]", device["pci"]))
        lowered["numbers"] = dict(zip(ADDRESS["pci"], numbers, strict=True))
    elif "scsi" in device:
        numbers = (int(part) for part in device["scsi"].split(":"))
        lowered |= {"type": "scsi", "numbers": dict(zip(ADDRESS["scsi"], numbers, strict=True))}
    elif "device" in device:
        known = _found_device(device["device"], host)
        if known is None:
            raise Unrenderable(no_device(device["device"]))
        lowered |= {"type": known.kind, "numbers": dict(known.address)}
    else:
        kind, text = next((KINDS[name], str(device[name])) for name in KINDS if name in device)  # type: ignore[literal-required]
        lowered |= {"type": kind, "known": text.lower()}
    return lowered


def _refuse_control_characters(value: Any, name: str) -> None:
    if isinstance(value, str):
        if _NOT_XML.search(value):
            raise Unrenderable(f"{name} has a control character in {value!r}, which XML can't hold; remove it.")
    elif isinstance(value, (dict, Mapping)):  # the abstract class takes long to say no
        for each in value.values():
            _refuse_control_characters(each, name)
    elif isinstance(value, list):
        for each in value:
            _refuse_control_characters(each, name)
