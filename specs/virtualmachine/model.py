"""The shape of a VirtualMachine's spec, and its rules beyond the schema."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, cast

from specs.codecs import bytes_of
from specs.networkfilter.built_in import filter_refs
from specs.reference import NETWORK, STORAGE_POOL, TEMPLATE, Ref
from specs.secret.reference import needed_secret, secrets_in
from specs.size import check_size
from specs.virtualmachine.compute.rules import check_compute
from specs.virtualmachine.devices.fields import NOWHERE
from specs.virtualmachine.devices.rules import check_devices
from specs.virtualmachine.interfaces.filters import filters_of
from specs.virtualmachine.interfaces.names import plugged_into
from specs.virtualmachine.interfaces.rules import check_interfaces
from specs.virtualmachine.interfaces.static_addresses import check_addresses
from specs.virtualmachine.platform.lowering import BOOT_FILES
from specs.virtualmachine.platform.rules import check_platform
from specs.virtualmachine.storage.buses import NEVER_READ_ONLY, lacks_ide
from specs.virtualmachine.storage.named_sources import disk_name
from specs.virtualmachine.storage.rules import check_drives
from specs.virtualmachine.storage.source_fields import SOURCE_NAMES

if TYPE_CHECKING:
    from specs.template.spec import TemplateSpec
    from specs.virtualmachine.spec import Cdrom, Disk, Floppy, Interface, VirtualMachineSpec

_MIN_MEMORY_MIB = 16
_MAX_MEMORY_MIB = 1 << 24

Broken = tuple[str, str]  # JSON pointer into the spec, sentence


def references(_name: str, spec: VirtualMachineSpec) -> Iterable[Ref]:
    """Everything that the machine needs, once each: its template, pools, volumes and networks."""
    return dict.fromkeys(_references(spec))


def check(_name: str, spec: VirtualMachineSpec) -> Iterator[Broken]:
    """The rules that hold between fields. Relies on the shape that the schema asks for."""
    yield from check_cpus(spec)
    yield from check_memory(spec)
    yield from check_compute(spec)
    yield from _check_disks(spec.get("disks", ()))
    yield from check_interfaces(spec.get("interfaces", ()))
    yield from _check_unique(spec)
    yield from _check_boot(spec)
    yield from _check_buses(spec)
    yield from check_drives(spec)
    yield from check_platform(spec)
    if "cloudInit" in spec:
        from specs.virtualmachine.guest.cloud_init import (
            check_cloud_init,  # brings YAML along, which only its texts need
        )

        yield from check_cloud_init(spec["cloudInit"])
    yield from check_addresses(spec)
    yield from check_graphics(spec)
    yield from check_devices(spec)


def check_cpus(spec: VirtualMachineSpec | TemplateSpec) -> Iterator[Broken]:
    """The topology has to make as many CPUs as the machine may have; a template may say the other half."""
    cpus, maximum = spec.get("cpus"), spec.get("maximumCpus")
    if cpus is not None and maximum is not None and cpus > maximum:
        yield "/maximumCpus", f"`cpus` is {cpus}, which is more than this; raise this, or lower `cpus`."
    topology = spec.get("cpuTopology")
    if topology is None:
        return
    product = topology["sockets"] * topology.get("dies", 1) * topology["cores"] * topology["threads"]
    if maximum is not None:
        if maximum != product:
            sentence = f"sockets × dies × cores × threads makes {product} CPUs, but `maximumCpus` is {maximum}"
            yield "/cpuTopology", f"{sentence}; make both equal."
    elif cpus is None and "template" not in spec:
        yield (
            "/cpuTopology",
            f"This topology makes {product} CPUs and `cpus` isn't written; write `cpus: {product}` too.",
        )
    elif cpus is not None and cpus != product:
        sentence = f"sockets × dies × cores × threads makes {product} CPUs, but `cpus` is {cpus}; make both equal."
        yield "/cpuTopology", sentence


def check_memory(spec: VirtualMachineSpec | TemplateSpec) -> Iterator[Broken]:
    """A size with a unit has to lie within the same limits as a number of MiB."""
    for field, size in (("memory", spec.get("memory")), ("maximumMemory", spec.get("maximumMemory"))):
        if isinstance(size, str) and not _MIN_MEMORY_MIB <= (bytes_of(size) or 0) >> 20 <= _MAX_MEMORY_MIB:
            yield f"/{field}", f"A machine has from {_MIN_MEMORY_MIB}MiB to 16TiB of memory; write another size."
    if "memory" in spec and "maximumMemory" in spec:
        memory, maximum = (bytes_of(size, "MiB") or 0 for size in (spec["memory"], spec["maximumMemory"]))
        if memory > maximum:
            yield "/maximumMemory", f"`memory` is {spec['memory']}, which is more than this; raise this, or lower it."


def _check_boot(spec: VirtualMachineSpec) -> Iterator[Broken]:
    """libvirt takes an order of kinds or places of single devices."""
    placed = [
        f"/{kind}/{number}/bootOrder"
        for kind, items in _devices(spec).items()
        for number, item in enumerate(items)
        if "bootOrder" in item
    ]
    if "bootDevices" in spec and placed:
        yield placed[0], "`bootDevices` gives the whole machine's order by kinds; remove one of the two."


def check_graphics(spec: VirtualMachineSpec | TemplateSpec) -> Iterator[Broken]:
    """The console listens on an address; what a time limits is a password, and it is a time that there is."""
    graphics = spec.get("graphics", {})
    until = graphics.get("passwordValidTo")
    if until is not None and "passwordFrom" not in graphics and "template" not in spec:
        yield "/graphics/passwordValidTo", "There is no password that it could limit; write `passwordFrom` too."
    if until not in (None, "never") and not _is_time(until):
        yield "/graphics/passwordValidTo", "There is no such day; correct it."
    listen = graphics.get("listen")
    if listen not in (None, NOWHERE) and not is_address(listen):
        yield (
            "/graphics/listen",
            "This isn't an IP address; write one such as 127.0.0.1, 0.0.0.0 for every interface, or `none`.",
        )


def is_address(text: str) -> bool:
    """True for an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _references(spec: VirtualMachineSpec) -> Iterator[Ref]:
    if "template" in spec:
        yield Ref(TEMPLATE, spec["template"])
    for disk in spec.get("disks", ()):
        pool = disk.get("pool", "default")
        if "volume" in disk:
            yield from _volume(disk["volume"], pool)
        elif "size" in disk:
            yield Ref(STORAGE_POOL, pool)
        if "base" in disk:
            yield from _volume(disk["base"], pool)
    for cdrom in spec.get("cdroms", ()):
        if "volume" in cdrom:
            yield from _volume(cdrom["volume"], "default")
    boot = spec.get("kernelBoot", {})
    for each in BOOT_FILES:
        if (named := boot.get(each)) is not None and not str(named).startswith("/"):
            yield from _volume(str(named), "default")
    for floppy in spec.get("floppies", ()):
        if "volume" in floppy:
            yield from _volume(floppy["volume"], "default")
    if "cloudInit" in spec:
        yield Ref(STORAGE_POOL, spec["cloudInit"].get("pool", "default"))
    for interface in spec.get("interfaces", ()):
        if "network" in interface:
            yield Ref(NETWORK, interface["network"])
    yield from filter_refs(*filters_of(spec))
    for secret in secrets_in(spec.get("disks", ())):
        yield from needed_secret(secret)


def _volume(text: str, pool: str) -> Iterator[Ref]:
    """A volume and its pool: the volume may be on the host without a document, and still needs the pool started."""
    volume = Ref.volume_named(text, pool)
    yield Ref(STORAGE_POOL, volume.pool)
    yield volume


def _check_disks(disks: Sequence[Disk]) -> Iterator[Broken]:
    new = [index for index, disk in enumerate(disks) if "size" in disk]
    for index, disk in enumerate(disks):
        yield from check_size(f"/disks/{index}/size", disk.get("size"))
        if len(new) > 1 and index in new and "name" not in disk:
            yield (
                f"/disks/{index}",
                "A machine with several new volumes needs a `name` on each of them: without one, removing a disk would "
                "give its volume to the next; add it.",
            )
        pool, slash, _ = disk.get("volume", "").partition("/")
        if slash and disk.get("pool", pool) != pool:
            yield f"/disks/{index}/pool", "`volume` names another pool than this; remove one of the two."
    known: dict[str, int] = {}
    for index, disk in enumerate(disks):
        key = next(name for name in (*SOURCE_NAMES[1:], "size") if name in disk)
        if key != "size":
            name = disk_name(disk)
            if key == "volume":
                name = Ref.volume_named(disk["volume"], disk.get("pool", "default")).name
            if (first := known.setdefault(name, index)) != index:
                what = "volume" if key == "volume" else "source"
                yield (
                    f"/disks/{index}/{key}",
                    f"Item {first + 1} of `disks` is this {what} already; remove one of the two.",
                )


def _devices(spec: VirtualMachineSpec) -> Mapping[str, Sequence[Disk | Cdrom | Interface | Floppy]]:
    return {
        "disks": spec.get("disks", ()),
        "cdroms": spec.get("cdroms", ()),
        "floppies": spec.get("floppies", ()),
        "interfaces": spec.get("interfaces", ()),
    }


def _check_unique(spec: VirtualMachineSpec) -> Iterator[Broken]:
    """Names within their list; device names and places in the boot order across all of the machine's devices."""
    lists = _devices(spec)
    for name, items in lists.items():
        called: dict[str, int] = {}
        for index, item in enumerate(items):
            own = _called(name, index, item)
            if own and (first := called.setdefault(own, index)) != index:
                sentence = f"Item {first + 1} of `{name}` is called `{own}` too; give each a `name` of its own."
                yield f"/{name}/{index}", sentence
    for key, what in (("target", "is the device"), ("bootOrder", "boots at place")):
        taken: dict[object, str] = {}
        for name, items in lists.items():
            for index, item in enumerate(items):
                place = f"{name}/{index}"
                own_place = item.get(key)
                if own_place is not None and (first_place := taken.setdefault(own_place, place)) != place:
                    other, _, position = first_place.partition("/")
                    sentence = f"Item {int(position) + 1} of `{other}` {what} {own_place} already; choose another."
                    yield f"/{place}/{key}", sentence


def _check_buses(spec: VirtualMachineSpec) -> Iterator[Broken]:
    """What libvirt never takes: a bus that the chipset hasn't, and a disk that can't be what it says on its bus."""
    machine = str(spec.get("machine", ""))
    if spec.get("cloudInit", {}).get("bus") == "ide" and lacks_ide(machine):
        yield "/cloudInit/bus", f"The machine type {machine} has no IDE; write `scsi` or `sata`, or `machine: pc`."
    drives: Mapping[str, Sequence[Disk | Cdrom]] = {"disks": spec.get("disks", ()), "cdroms": spec.get("cdroms", ())}
    for name, items in drives.items():
        for index, item in enumerate(items):
            if item.get("bus") == "ide" and lacks_ide(machine):
                yield f"/{name}/{index}/bus", f"The machine type {machine} has no IDE; write `sata`, or `machine: pc`."
    for index, disk in enumerate(spec.get("disks", ())):
        if (bus := disk.get("bus")) in NEVER_READ_ONLY and disk.get("readOnly"):
            sentence = f"No disk on the bus {bus} can be read-only; choose virtio, scsi or usb as its `bus`."
            yield f"/disks/{index}/readOnly", sentence


def _called(name: str, index: int, item: Disk | Cdrom | Interface | Floppy) -> str:
    """An item's name, or the one that it has by default; empty for a disk that its volume tells apart."""
    if name == "floppies":
        return ""  # known by its target alone
    if "name" in item:
        return str(cast("Disk", item)["name"])
    if name == "disks":
        return "disk0" if "size" in item else ""
    return f"cdrom{index}" if name == "cdroms" else plugged_into(cast("Interface", item))
