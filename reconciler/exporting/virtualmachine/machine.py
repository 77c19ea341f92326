"""A virtual machine as a document: what its definition says, without what is a default anyway.

Its power is nobody's business: `runStrategy: Manual` neither starts what is off nor stops what runs, also after a
restart of the host or a lost state folder. What a document can't say stays in libvirt and is only told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from reconciler.exporting.draft import Draft, Surroundings
from reconciler.exporting.virtualmachine.platform import say_platform
from reconciler.exporting.virtualmachine.sources import said_disk, said_floppy
from reconciler.observed.snapshot import Observed
from specs.codecs import size_text
from specs.declared import IN_CODE
from specs.declared_binds import sayable
from specs.host import NodeDevice
from specs.plain import NewSpec, Spec
from specs.virtualmachine import KIND as MACHINES
from specs.virtualmachine.compute.cpu import said_of_cpu
from specs.virtualmachine.devices.graphics import CONSOLE
from specs.virtualmachine.devices.hostdevice_fields import HOST_DEVICE
from specs.virtualmachine.devices.hostdevices import KINDS
from specs.virtualmachine.fields import SPEC
from specs.virtualmachine.interfaces.connection_fields import CONNECTIONS
from specs.virtualmachine.interfaces.fields import INTERFACE
from specs.virtualmachine.interfaces.names import connection, plugged_into
from specs.virtualmachine.storage.fields import CDROM

if TYPE_CHECKING:
    from specs.virtualmachine.spec import (
        LoweredCdrom,
        LoweredDisk,
        LoweredGraphics,
        LoweredHostDevice,
        LoweredInterface,
        LoweredVirtualMachine,
    )

_MIB = 1 << 20
_DOMAIN_TYPES = {"kvm": "kvm", "qemu": "emulated"}
_CPU_MODES = frozenset({"host-model", "host-passthrough", "maximum", "custom"})
_DEFAULT_DISK_BUS, _DEFAULT_CDROM_BUS, _DEFAULT_MODEL = "virtio", "sata", "virtio"
_DEFAULT_LISTEN = "127.0.0.1"
_DEFAULT_BOOT = (["hd"], ["hd", "cdrom"])  # libvirt's, and that of a new machine


def machine(observed: Observed, around: Surroundings) -> Draft:
    """The draft of one VM."""
    config = MACHINES.lowered(observed.config)
    draft = Draft(observed.ref, observed.uid, {"runStrategy": "Manual"})
    spec = draft.spec
    spec.update(sayable(SPEC, config))
    if "controllers" in spec:  # libvirt numbers all that it knows
        spec["controllers"] = [each for each in spec["controllers"] if "index" in each]
    if topology := config.get("cpuTopology"):
        spec["cpuTopology"] = topology
    if chipset := config.get("machine"):
        spec["machine"] = chipset
    _sizes(config, draft)
    if (domain_type := _DOMAIN_TYPES.get(str(config.get("domainType")))) is not None:
        spec["domainType"] = domain_type
    if config.get("cpuMode") in _CPU_MODES:
        spec["cpuMode"] = config["cpuMode"]
    spec.pop("cpu", None)
    if cpu := said_of_cpu(config):
        spec["cpu"] = cpu
        if "model" in cpu:
            spec["cpuMode"] = "custom"
    say_platform(spec, config, draft, around)
    if (kinds := config.get("bootDevices")) is not None and kinds not in _DEFAULT_BOOT:
        spec["bootDevices"] = list(kinds)
    if config.get("serialConsole") is False:
        spec["serialConsole"] = False
    if observed.autostart:
        spec["autostart"] = True
    _graphics(config.get("graphics") or {}, draft)
    targets = _Targets()
    _put(spec, "disks", _disks(config.get("disks", ()), draft, around, targets))
    _put(spec, "cdroms", _cdroms(config.get("cdroms", ()), around, targets))
    _put(spec, "floppies", map(partial(said_floppy, around=around), config.get("floppies", ())))
    _put(spec, "interfaces", _interfaces(config.get("interfaces", ()), draft))
    _put(spec, "hostDevices", _host_devices(config.get("hostDevices", ()), draft, around))
    return draft


def _put(spec: NewSpec, name: str, items: Iterator[Spec]) -> None:
    if found := list(items):
        spec[name] = found


def _sizes(config: LoweredVirtualMachine, draft: Draft) -> None:
    cpus, memory = config.get("cpus"), config.get("memory")
    if isinstance(cpus, int):
        draft.spec["cpus"] = cpus
        if (maximum := config.get("maximumCpus")) and maximum > cpus:
            draft.spec["maximumCpus"] = maximum
    if not isinstance(memory, int):
        draft.left.append("its memory, which isn't a whole number of MiB")
        return
    draft.spec["memory"] = size_text(memory * _MIB)
    maximum = config.get("maximumMemory")
    if isinstance(maximum, int) and maximum > memory:
        draft.spec["maximumMemory"] = size_text(maximum * _MIB)


def _graphics(found: LoweredGraphics, draft: Draft) -> None:
    graphics: LoweredGraphics = {"type": found["type"]} if found.get("type") else {}
    listen = found.get("listen")
    if listen and listen != _DEFAULT_LISTEN:
        graphics["listen"] = listen
    graphics = {**graphics, **sayable(CONSOLE, found)}  # type: ignore[typeddict-item]  # of these fields some
    if found.get("passwordFrom"):
        draft.secrets.append("the password of its console: write it into a file and name that as graphics.passwordFrom")
    if graphics:
        draft.spec["graphics"] = graphics


class _Targets:
    """Tells which device names are those that would be chosen anyway."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def is_expected(self, target: str) -> bool:
        """True for the next free letter after the prefix."""
        prefix, letter = target[:-1], target[-1:]
        index = self._seen[prefix]
        self._seen[prefix] += 1
        return letter == chr(ord("a") + index)


def _disks(disks: Iterable[LoweredDisk], draft: Draft, around: Surroundings, targets: _Targets) -> Iterator[Spec]:
    for disk in disks:
        target = str(disk.get("target") or "")
        expected = targets.is_expected(target)
        item = said_disk(disk, around)
        if item is None:
            draft.left.append(f"the disk {target or '(unnamed)'}: its source has no word in a document")
            continue
        if disk.get("bus") and disk["bus"] != _DEFAULT_DISK_BUS:
            item["bus"] = disk["bus"]
        if target and not expected:
            item["target"] = target
        if disk.get("readOnly"):
            item["readOnly"] = True
        if limits := disk.get("ioLimits"):
            item["ioLimits"] = {key: _rate(key, limit) for key, limit in limits.items() if limit}
        yield _with_order(item, disk)


def _rate(key: str, limit: object) -> object:
    return size_text(limit) if "ytes" in key and isinstance(limit, int) and limit % 1024 == 0 else limit


def _cdroms(drives: Iterable[LoweredCdrom], around: Surroundings, targets: _Targets) -> Iterator[Spec]:
    found = list(drives)
    for drive in found:
        source, target = drive.get("source") or {}, str(drive.get("target") or "")
        expected = targets.is_expected(target)
        item: NewSpec = {}
        if (volume := around.volume_of(source)) is not None:
            item["volume"] = volume.name
        elif path := source.get("file") or source.get("dev"):
            item["path"] = path
        elif "url" in source:
            item["url"] = source["url"]
        if drive.get("bus") and drive["bus"] != _DEFAULT_CDROM_BUS:
            item["bus"] = drive["bus"]
        if target and (not expected or len(found) > 1):  # which of several drives is meant has to be said
            item["target"] = target
        yield _with_order(item | sayable(CDROM, drive), drive)


def _interfaces(interfaces: Iterable[LoweredInterface], draft: Draft) -> Iterator[Spec]:
    found = list(interfaces)
    taken = {plugged_into(each) for each in found}
    names: set[str] = set()
    for interface in found:
        kind, joined = connection(interface), plugged_into(interface)
        if not kind:
            draft.left.append(f"the interface {interface.get('mac')}: no document can say what it is plugged into")
            continue
        item: NewSpec = {kind: _plugged(kind, interface.get(kind))}
        if joined in names:  # its name, unless another one says so
            free = (f"{joined}-{number}" for number in count(2))
            item["name"] = next(name for name in free if name not in names and name not in taken)
        names.add(str(item.get("name", joined)))
        if interface.get("model") and interface["model"] != _DEFAULT_MODEL:
            item["model"] = interface["model"]
        if interface.get("mac"):
            item["mac"] = interface["mac"]
        if interface.get("link") == "down":
            item["link"] = "down"
        yield _with_order(item | sayable(INTERFACE, interface), interface)


def _plugged(kind: str, said: Any) -> Any:
    """What is said of a connection: a name, or without what is a default anyway."""
    if kind not in CONNECTIONS:
        return said
    declared = CONNECTIONS[kind][1]
    by_code = {name: said[name] for name, field in declared.fields.items() if field.at == IN_CODE and name in said}
    return by_code | sayable(declared, said)


def _host_devices(devices: Iterable[LoweredHostDevice], draft: Draft, around: Surroundings) -> Iterator[Spec]:
    for device in devices:
        how = sayable(HOST_DEVICE, device)
        if device["type"] not in ("mdev", "scsi_host") and how.get("managed") is True:
            del how["managed"]
        if known := device.get("known"):
            yield {next(field for field, kind in KINDS.items() if kind == device["type"]): known, **how}
            continue
        if device["type"] == "scsi" and None not in device["numbers"].values():
            yield {"scsi": ":".join(map(str, device["numbers"].values())), **how}
            continue
        name = _device_name(device, around.host.node_devices.values())
        if name is None:
            draft.left.append(f"a host device of type {device['type']}: the host has none at this address now")
        else:
            yield {"device": name, **how}


def _device_name(device: LoweredHostDevice, known: Iterable[NodeDevice]) -> str | None:
    address = dict(device["numbers"])
    for node in known:
        if node.kind == device["type"] and dict(node.address) == address:
            return node.name
    numbers = {key: number for key, number in address.items() if number is not None}
    if device["type"] == "pci" and len(numbers) == len(address):
        return "pci_{domain:04x}_{bus:02x}_{slot:02x}_{function:x}".format(**numbers)
    return None


def _with_order(item: NewSpec, found: LoweredDisk | LoweredCdrom | LoweredInterface) -> NewSpec:
    return item | ({"bootOrder": found["bootOrder"]} if found.get("bootOrder") else {})
