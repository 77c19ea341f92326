"""A VirtualMachine's spec as types. Written by `make docs` from `fields.py`: what is changed here is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Required, TypedDict


class CpuTopology(TypedDict, total=False):
    """How the virtual CPUs are arranged: sockets × cores × threads has to equal `cpus`, or `maximumCpus` where
    that is written.
    """

    sockets: Required[int]
    cores: Required[int]
    threads: Required[int]


class IoLimits(TypedDict, total=False):
    """How fast the guest may read and write a disk."""

    bytesPerSecond: int | str
    readBytesPerSecond: int | str
    writeBytesPerSecond: int | str
    iops: int
    readIops: int
    writeIops: int


class DiskDriver(TypedDict, total=False):
    """How QEMU opens the disk and hands it on."""

    cache: Literal["default", "none", "writeback", "writethrough", "directsync", "unsafe"]
    io: Literal["threads", "native", "io_uring"]
    errorPolicy: Literal["stop", "report", "ignore", "enospace"]
    readErrorPolicy: Literal["stop", "report", "ignore"]
    copyOnRead: bool
    discard: Literal["unmap", "ignore"]
    detectZeroes: Literal["off", "on", "unmap"]
    queues: int
    queueSize: int
    ioeventfd: bool
    eventIdx: bool
    iommu: bool
    ats: bool
    packed: bool
    pagePerVq: bool


class DiskBlockSizes(TypedDict, total=False):
    """The sizes of blocks that the guest sees, in bytes."""

    logical: int
    physical: int


class DiskGeometry(TypedDict, total=False):
    """How many cylinders, heads and sectors an old guest sees."""

    cylinders: Required[int]
    heads: Required[int]
    sectors: Required[int]
    translation: Literal["auto", "none", "lba"]


class Disk(TypedDict, total=False):
    """A disk: a new volume (`size`) or an existing one (`volume`)."""

    name: str
    size: str
    format: Literal["qcow2", "raw"]
    pool: str
    base: str
    volume: str
    bus: Literal["virtio", "scsi", "sata", "ide", "usb"]
    bootOrder: int
    target: str
    ioLimits: IoLimits
    readOnly: bool
    driver: DiskDriver
    serial: str
    wwn: str
    vendor: str
    product: str
    rotationRate: int
    removable: bool
    model: Literal["virtio", "virtio-transitional", "virtio-non-transitional"]
    shareable: bool
    transient: bool
    startupPolicy: Literal["mandatory", "optional"]
    snapshot: Literal["no", "internal", "external"]
    blockSizes: DiskBlockSizes
    geometry: DiskGeometry
    onLoss: Literal["hold", "recreate"]


class CdromDriver(TypedDict, total=False):
    """How QEMU opens the medium."""

    cache: Literal["default", "none", "writeback", "writethrough", "directsync", "unsafe"]
    io: Literal["threads", "native", "io_uring"]
    errorPolicy: Literal["stop", "report", "ignore", "enospace"]
    readErrorPolicy: Literal["stop", "report", "ignore"]


class Cdrom(TypedDict, total=False):
    """A CD-ROM drive; empty without a medium."""

    name: str
    volume: str
    path: str
    url: str
    bus: Literal["sata", "scsi", "ide", "usb"]
    bootOrder: int
    target: str
    driver: CdromDriver
    serial: str
    wwn: str
    vendor: str
    product: str
    startupPolicy: Literal["mandatory", "requisite", "optional"]


class Interface(TypedDict, total=False):
    """A network interface on a libvirt network or on a bridge of the host."""

    name: str
    network: str
    bridge: str
    model: Literal[
        "virtio", "e1000", "e1000e", "rtl8139", "ne2k_pci", "pcnet", "i82551", "i82557b", "i82559er", "vmxnet3"
    ]
    mac: str
    bootOrder: int
    link: Literal["up", "down"]
    addresses: Sequence[str]
    gateways: Sequence[str]
    nameservers: Sequence[str]


class SecretFrom(TypedDict, total=False):
    """Where a secret is kept, never the secret itself: exactly one of `file` and `env`."""

    file: str
    env: str


class Graphics(TypedDict, total=False):
    """The graphical console."""

    type: Literal["vnc", "spice", "none"]
    listen: str
    passwordFrom: SecretFrom
    passwordValidTo: str


class Watchdog(TypedDict, total=False):
    """A device that does something about a guest from which it hasn't heard for a while: one that hangs."""

    model: Required[Literal["i6300esb", "ib700", "itco", "diag288"]]
    action: Literal["reset", "shutdown", "poweroff", "pause", "dump", "inject-nmi", "none"]


class HostDevice(TypedDict, total=False):
    """One device of the host."""

    device: Required[str]


class Access(TypedDict, total=False):
    """Who, besides administrators, may use the machine through the API."""

    users: Sequence[str]
    groups: Sequence[str]


class CloudInit(TypedDict, total=False):
    """First-boot data for the guest, given to it on a small medium of its own (NoCloud)."""

    user: str
    sshKeys: Sequence[str]
    hostname: str
    userData: str
    metaData: str
    networkConfig: str
    pool: str
    bus: Literal["scsi", "sata", "ide", "usb"]
    instanceIdPolicy: Literal["OnChange", "Never"]


class VirtualMachineSpec(TypedDict, total=False):
    """The machine."""

    title: str
    description: str
    osDistro: str
    osVersion: str
    icon: str
    template: str
    cpus: int
    maximumCpus: int
    cpuTopology: CpuTopology
    cpuMode: Literal["host-model", "host-passthrough", "maximum", "default"]
    memory: int | str
    maximumMemory: int | str
    disks: Sequence[Disk]
    cdroms: Sequence[Cdrom]
    interfaces: Sequence[Interface]
    graphics: Graphics
    serialConsole: bool
    watchdog: Watchdog
    hostDevices: Sequence[HostDevice]
    access: Access
    runStrategy: Literal["Always", "RerunOnFailure", "Manual", "Halted"]
    paused: bool
    autostart: bool
    defaults: Literal["onggi", "libvirt"]
    domainType: Literal["kvm", "emulated"]
    machine: str
    firmware: Literal["bios", "uefi"]
    bootDevices: Sequence[Literal["hd", "cdrom", "network", "fd"]]
    bootMenu: bool
    cloudInit: CloudInit
    restartPolicy: Literal["Never", "WhenStopped", "Graceful"]
    shutdownTimeout: int
    forceStop: bool
    deletionPolicy: Literal["Retain", "Delete"]
    driftPolicy: Literal["enforce", "warn", "ignore"]
    ignoreFields: Sequence[str]


class LoweredIoLimits(TypedDict, total=False):
    """How fast the guest may read and write a disk."""

    bytesPerSecond: int
    readBytesPerSecond: int
    writeBytesPerSecond: int
    iops: int
    readIops: int
    writeIops: int


class LoweredDiskDriver(TypedDict, total=False):
    """How QEMU opens the disk and hands it on."""

    cache: str
    io: str
    errorPolicy: str
    readErrorPolicy: str
    copyOnRead: bool
    discard: str
    detectZeroes: str
    queues: int
    queueSize: int
    ioeventfd: bool
    eventIdx: bool
    iommu: bool
    ats: bool
    packed: bool
    pagePerVq: bool


class LoweredDiskGeometry(TypedDict, total=False):
    """How many cylinders, heads and sectors an old guest sees."""

    cylinders: Required[int]
    heads: Required[int]
    sectors: Required[int]
    translation: str


class LoweredSource(TypedDict, total=False):
    """A file, a block device, a volume of a pool, or a URL; empty without a medium."""

    file: str
    dev: str
    pool: str
    volume: str
    url: str
    path: str
    format: str
    above: Sequence[str]
    backing: Sequence[str]


class LoweredDisk(TypedDict, total=False):
    """A disk: a new volume (`size`) or an existing one (`volume`)."""

    name: str
    format: str
    bus: str
    bootOrder: int
    target: str
    ioLimits: LoweredIoLimits
    readOnly: bool
    driver: LoweredDiskDriver
    serial: str
    wwn: str
    vendor: str
    product: str
    rotationRate: int
    removable: bool
    model: str
    shareable: bool
    transient: bool
    startupPolicy: str
    snapshot: str
    blockSizes: DiskBlockSizes
    geometry: LoweredDiskGeometry
    source: Required[LoweredSource]


class LoweredCdromDriver(TypedDict, total=False):
    """How QEMU opens the medium."""

    cache: str
    io: str
    errorPolicy: str
    readErrorPolicy: str


class LoweredCdrom(TypedDict, total=False):
    """A CD-ROM drive; empty without a medium."""

    name: Required[str]
    bus: str
    bootOrder: int
    target: str
    driver: LoweredCdromDriver
    serial: str
    wwn: str
    vendor: str
    product: str
    startupPolicy: str
    source: Required[LoweredSource]


class LoweredInterface(TypedDict, total=False):
    """A network interface on a libvirt network or on a bridge of the host."""

    name: str
    network: str
    bridge: str
    model: str
    mac: str
    bootOrder: int
    link: str
    derivedMac: str


class LoweredGraphics(TypedDict, total=False):
    """The graphical console."""

    type: str
    listen: str
    passwordFrom: str
    passwordValidTo: str


class LoweredWatchdog(TypedDict, total=False):
    """A device that does something about a guest from which it hasn't heard for a while: one that hangs."""

    model: Required[str]
    action: str


class LoweredHostDevice(TypedDict, total=False):
    """One device of the host."""

    device: Required[str]
    type: Required[str]
    address: Required[Mapping[str, int | None]]


class LoweredVirtualMachine(TypedDict, total=False):
    """The machine."""

    title: str
    description: str
    cpus: int
    maximumCpus: int
    cpuTopology: CpuTopology
    cpuMode: str
    memory: int
    maximumMemory: int
    disks: Sequence[LoweredDisk]
    cdroms: Sequence[LoweredCdrom]
    interfaces: Sequence[LoweredInterface]
    graphics: LoweredGraphics
    serialConsole: bool
    watchdog: LoweredWatchdog
    hostDevices: Sequence[LoweredHostDevice]
    defaults: str
    domainType: str
    machine: str
    firmware: str
    bootDevices: Sequence[str]
    bootMenu: bool
    cells: int
    modules: int
