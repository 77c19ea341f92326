"""How the parts of a `<domain>` are told apart, so that a document's XML finds its places: see `specs/overlay`."""

from __future__ import annotations

from specs.overlay.tables import ALIAS, LISTED, ORDERED, Siblings, Table, added_to, named
from specs.virtualmachine.overlay_live import PLUGGED, UPDATED
from specs.virtualmachine.reach import HARMLESS, REACHING

_PLACE = "address"  # on a bus, where nothing better tells a device apart


def _device(*keys: str | tuple[str, ...], whole: tuple[str, ...] = ("@type", "@model", "model/@type")) -> Siblings:
    return added_to(ALIAS[0], *keys, _PLACE, whole=whole)


_SERIAL = ("target/@port", "target/@name")
_INTERFACE = {
    "ip": named("@address"),
    "route": named(("@address", "@prefix"), ("@address", "@netmask"), "@address"),
    "filterref/parameter": named(("@name", "@value")),
    "vlan/tag": named("@id"),
    "portForward": named(("@proto", "@address", "@dev"), ("@proto", "@address"), ("@proto", "@dev"), "@proto"),
    "portForward/range": named(("@start", "@exclude"), "@start"),
    "backend/fds": LISTED,
}
_SOURCE = {
    "host": named(("@name", "@port"), "@name", "@socket"),
    "cookies/cookie": named("@name"),
    "initiator/iqn": named("@name"),
    "seclabel": named("@model"),
    "slices/slice": named("@type"),
}
_DISK = {
    **{f"source/{tag}": how for tag, how in _SOURCE.items()},
    **{f"backingStore/source/{tag}": how for tag, how in _SOURCE.items()},
    "driver/iothreads/iothread": named("@id"),
    "driver/iothreads/iothread/queue": named("@id"),
    "driver/statistics/statistic": LISTED,
    "throttlefilters/filter": named("@group"),
}
_HOST_DEVICE = (
    ("source/address", "source/adapter/@name"),
    "source/address",
    ("source/vendor/@id", "source/product/@id"),
    "source/@wwpn",
    "source/@name",
    "source/@dev",
    "source/block",
    "source/char",
    "source/interface",
)
_CONSOLES = (
    *("@port", "@autoport", "@socket", "listen", "listen/@type", "listen/@socket"),
    *(f"@type={kind}" for kind in ("egl-headless", "sdl", "dbus", "rdp", "desktop")),
)
_LINK = named(("@initiator", "@target", "@cache", "@type"), ("@initiator", "@target", "@type"))
_PAGE = named(("@size", "@unit", "@nodeset"), ("@size", "@unit"), ("@size", "@nodeset"), "@size")

TABLE = Table(
    "VirtualMachine",
    "domain",
    {
        "devices/emulator": Siblings(),
        "devices/*": added_to(ALIAS[0], _PLACE, whole=("@type", "@model", "model/@type")),
        "devices/disk": _device(
            "target/@dev", "serial", "source/@file", "source/@dev", ("source/@pool", "source/@volume"), "source/@name",
            whole=("source", "source/@file", "@device"),
        ),
        "devices/interface": _device("mac/@address", "target/@dev", whole=("@type",)),
        "devices/controller": added_to(("@type", "@index"), ALIAS[0], _PLACE, whole=("@model",)),
        "devices/channel": _device(
            ("@type", "target/@name"), "target/@name", ("@type", "target/@type"), whole=("@type",)
        ),
        "devices/serial": _device(*_SERIAL, whole=("@type",)),
        "devices/parallel": _device(*_SERIAL, whole=("@type",)),
        "devices/console": _device(
            ("target/@type", "target/@port"), "target/@port", "target/@type", whole=("@type",)
        ),
        "devices/graphics": added_to("@type", whole=_CONSOLES),
        "devices/graphics/listen": named(
            ("@type", "@address"), ("@type", "@network"), ("@type", "@socket"), "@type"
        ),
        "devices/graphics/channel": named("@name"),
        "devices/hostdev": _device(*_HOST_DEVICE, whole=("@type", "@mode")),
        "devices/filesystem": _device("target/@dir", whole=("@type", "source/@dir")),
        "devices/lease": named(("lockspace", "key")),
        "devices/memory": _device("target/address/@base", "uuid", whole=("@model",)),
        "devices/shmem": _device("@name", whole=("@name",)),
        "devices/audio": named("@id"),
        "devices/memballoon": Siblings(),
        "devices/iommu": Siblings(),
        "devices/vsock": Siblings(),
        "devices/nvram": Siblings(),
        "devices/redirfilter": Siblings(),
        "devices/redirfilter/usbdev": ORDERED,
        "devices/input": _device(("@type", "@bus"), "@type", whole=("@type",)),
        "devices/video/driver": Siblings(),
        "devices/smartcard/certificate": ORDERED,
        "devices/tpm/backend/source": Siblings(),
        "devices/tpm/backend/active_pcr_banks": Siblings(),
        "devices/watchdog": _device("@model", whole=("@model",)),
        "devices/panic": _device("@model", whole=("@model",)),
        **{f"devices/interface/{tag}": how for tag, how in _INTERFACE.items()},
        **{f"devices/hostdev/{tag}": how for tag, how in _INTERFACE.items()},
        **{f"devices/disk/{tag}": how for tag, how in _DISK.items()},
        "devices/hostdev/source/host": _SOURCE["host"],
        "**/seclabel": named("@model", ("@type", "@relabel")),
        "blkiotune/device": named("path"),
        "clock/timer": named("@name"),
        "cpu/cache": Siblings(),
        "cpu/feature": named("@name"),
        "cpu/numa/cell": named("@id"),
        "cpu/numa/cell/distances/sibling": named("@id"),
        "cpu/numa/cell/cache": named("@level"),
        "cpu/numa/interconnects/latency": _LINK,
        "cpu/numa/interconnects/bandwidth": _LINK,
        "cputune/vcpupin": named("@vcpu"),
        "cputune/iothreadpin": named("@iothread"),
        "cputune/vcpusched": named("@vcpus"),
        "cputune/iothreadsched": named("@iothreads"),
        "cputune/cachetune": named("@vcpus"),
        "cputune/cachetune/cache": named(("@id", "@level", "@type")),
        "cputune/cachetune/monitor": named(("@level", "@vcpus")),
        "cputune/memorytune": named("@vcpus"),
        "cputune/memorytune/node": named("@id"),
        "features/capabilities/*": Siblings(),
        "features/tcg/*": Siblings(),
        "idmap/uid": named("@start"),
        "idmap/gid": named("@start"),
        "iothreadids/iothread": named("@id"),
        "keywrap/cipher": named("@name"),
        "memoryBacking/hugepages/page": _PAGE,
        "metadata/*": named(),
        "numatune/memnode": named("@cellid"),
        "os/acpi/table": named("@type"),
        "os/boot": ORDERED,
        "os/firmware/feature": named("@name"),
        "os/initarg": ORDERED,
        "os/initenv": named("@name"),
        "qemu:capabilities/qemu:add": named("@capability"),
        "qemu:capabilities/qemu:del": named("@capability"),
        "qemu:commandline/qemu:arg": ORDERED,
        "qemu:commandline/qemu:env": named("@name"),
        "qemu:deprecation": Siblings(),
        "qemu:override/qemu:device": named("@alias"),
        "qemu:override/qemu:device/qemu:frontend/qemu:property": named("@name"),
        "resource": Siblings(),
        "sysinfo": named("@type"),
        "sysinfo/baseBoard": LISTED,
        "sysinfo/entry": named("@name"),
        "sysinfo/oemStrings/entry": ORDERED,
        "sysinfo/bios/entry": named("@name"),
        "sysinfo/system/entry": named("@name"),
        "sysinfo/chassis/entry": named("@name"),
        "throttlegroups/throttlegroup": named("group_name"),
        "vcpus/vcpu": named("@id"),
    },
    namespaces={
        "qemu": "http://libvirt.org/schemas/domain/qemu/1.0",
        "lxc": "http://libvirt.org/schemas/domain/lxc/1.0",
        "xen": "http://libvirt.org/schemas/domain/xen/1.0",
        "ch": "http://libvirt.org/schemas/domain/ch/1.0",
        "bhyve": "http://libvirt.org/schemas/domain/bhyve/1.0",
    },
    never={
        "name": "the document's `metadata.name` says how it is called; remove it",
        "uuid": "the document's `metadata.uid` says which one it is; remove it",
        "@id": "that is the number of a run; remove it",
    },
    unread=("metadata", "title", "description"),
    harmless=HARMLESS,
    reaching=REACHING,
    plugged=PLUGGED,
    updated=UPDATED,
    resting=("devices/disk",),
    varies=("cpu", "seclabel", "resource", "vcpu/@current", "currentMemory"),
)  # fmt: skip
