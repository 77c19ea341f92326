"""A VirtualMachine's spec as types. Written by `make docs` from `fields.py`: what is changed here is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Required, TypedDict


class CpuTopology(TypedDict, total=False):
    """How the virtual CPUs are arranged: sockets × dies × cores × threads has to equal `cpus`, or
    `maximumCpus` where that is written.
    """

    sockets: Required[int]
    dies: int
    cores: Required[int]
    threads: Required[int]


class CpuFeature(TypedDict, total=False):
    """A feature of the CPU."""

    name: Required[str]
    policy: Literal["force", "require", "optional", "disable", "forbid"]


class CpuAddressBits(TypedDict, total=False):
    """How wide addresses of physical memory are, which a machine with a lot of memory needs."""

    mode: Required[Literal["passthrough", "emulate"]]
    bits: int


class Cpu(TypedDict, total=False):
    """What the CPU is, beside its `cpuMode`."""

    model: str
    fallback: Literal["allow", "forbid"]
    vendorId: str
    vendor: str
    match: Literal["minimum", "exact", "strict"]
    check: Literal["none", "partial", "full"]
    migratable: bool
    features: Sequence[CpuFeature]
    addressBits: CpuAddressBits
    cache: Literal["passthrough", "emulate", "disable"]


class CpuTuneVcpuPin(TypedDict, total=False):
    """One CPU's."""

    vcpu: Required[int]
    processors: Required[str]


class CpuTuneIoThreadPin(TypedDict, total=False):
    """One thread's."""

    ioThread: Required[int]
    processors: Required[str]


class CpuTuneVcpuScheduler(TypedDict, total=False):
    """Some CPUs'."""

    vcpus: Required[str]
    scheduler: Required[Literal["batch", "idle", "fifo", "rr"]]
    priority: int


class CpuTuneIoThreadScheduler(TypedDict, total=False):
    """Some threads'."""

    ioThreads: Required[str]
    scheduler: Required[Literal["batch", "idle", "fifo", "rr"]]
    priority: int


class CpuTuneEmulatorScheduler(TypedDict, total=False):
    """How the host schedules what the hypervisor does beside the CPUs."""

    scheduler: Required[Literal["batch", "idle", "fifo", "rr"]]
    priority: int


class CpuTune(TypedDict, total=False):
    """Which of the host's processors the machine runs on, and how much of them it gets."""

    processors: str
    placement: Literal["static", "auto"]
    vcpuPins: Sequence[CpuTuneVcpuPin]
    emulatorPin: str
    ioThreadPins: Sequence[CpuTuneIoThreadPin]
    shares: int
    period: int
    quota: int
    globalPeriod: int
    globalQuota: int
    emulatorPeriod: int
    emulatorQuota: int
    ioThreadPeriod: int
    ioThreadQuota: int
    vcpuSchedulers: Sequence[CpuTuneVcpuScheduler]
    ioThreadSchedulers: Sequence[CpuTuneIoThreadScheduler]
    emulatorScheduler: CpuTuneEmulatorScheduler


class IoThreadPool(TypedDict, total=False):
    """One thread."""

    id: Required[int]
    least: int
    most: int


class MemoryBackingPage(TypedDict, total=False):
    """One size."""

    size: Required[str]
    cells: str


class MemoryBackingAllocation(TypedDict, total=False):
    """How it is taken from the host."""

    mode: Literal["immediate", "ondemand"]
    threads: int


class MemoryBacking(TypedDict, total=False):
    """Where the host has the machine's memory."""

    hugePages: bool
    pages: Sequence[MemoryBackingPage]
    noSharePages: bool
    locked: bool
    source: Literal["anonymous", "file", "memfd"]
    access: Literal["private", "shared"]
    allocation: MemoryBackingAllocation
    discard: bool


class MemoryTune(TypedDict, total=False):
    """How much of the host's memory the machine may take, all that the hypervisor needs included."""

    hardLimit: str
    softLimit: str
    swapHardLimit: str


class MemoryRoom(TypedDict, total=False):
    """Room for memory modules, which needs `numa.cells`."""

    size: Required[str]
    slots: Required[int]


class MemoryModule(TypedDict, total=False):
    """A module of memory."""

    model: Required[Literal["dimm", "nvdimm", "virtio-mem", "virtio-pmem"]]
    size: Required[str]
    node: int
    requested: str
    block: str
    path: str
    access: Literal["private", "shared"]
    discard: bool
    alignSize: str
    persistent: bool
    pageSize: str
    nodes: str
    label: str
    readOnly: bool
    address: str
    alias: str


class NumaCellDistance(TypedDict, total=False):
    """How far one cell is."""

    cell: Required[int]
    value: Required[int]


class NumaCell(TypedDict, total=False):
    """A NUMA cell of the machine."""

    id: Required[int]
    cpus: str
    memory: Required[str]
    memAccess: Literal["shared", "private"]
    discard: bool
    distances: Sequence[NumaCellDistance]


class NumaLatencie(TypedDict, total=False):
    """Between two cells."""

    initiator: Required[int]
    target: Required[int]
    type: Required[Literal["access", "read", "write"]]
    value: Required[int]


class NumaBandwidth(TypedDict, total=False):
    """Between two cells."""

    initiator: Required[int]
    target: Required[int]
    type: Required[Literal["access", "read", "write"]]
    value: Required[str]


class Numa(TypedDict, total=False):
    """NUMA cells: how the machine's CPUs and memory are divided."""

    cells: Sequence[NumaCell]
    latencies: Sequence[NumaLatencie]
    bandwidths: Sequence[NumaBandwidth]


class NumaTuneCell(TypedDict, total=False):
    """Where one cell's memory comes from."""

    cell: Required[int]
    mode: Required[Literal["strict", "preferred", "interleave", "restrictive"]]
    nodes: Required[str]


class NumaTune(TypedDict, total=False):
    """Which of the host's NUMA nodes the machine's memory comes from."""

    mode: Literal["strict", "preferred", "interleave", "restrictive"]
    nodes: str
    placement: Literal["static", "auto"]
    cells: Sequence[NumaTuneCell]


class ControllerDriver(TypedDict, total=False):
    """How the guest's requests reach it, on virtio-scsi."""

    queues: int
    cmdPerLun: int
    maxSectors: int
    ioeventfd: bool
    ioThread: int
    iommu: bool
    ats: bool
    packed: bool
    pagePerVq: bool


class ControllerTarget(TypedDict, total=False):
    """Where a pci controller is among the others."""

    chassisNr: int
    chassis: int
    port: int
    busNr: int
    index: int
    hotplug: bool
    node: int


class Controller(TypedDict, total=False):
    """A controller."""

    type: Required[Literal["pci", "usb", "scsi", "ide", "sata", "fdc", "virtio-serial", "ccid", "isa"]]
    index: Required[int]
    model: str
    driver: ControllerDriver
    ports: int
    vectors: int
    master: int
    implementation: str
    target: ControllerTarget
    pcihole64: str
    address: str
    alias: str


class DiskNetwork(TypedDict, total=False):
    """Storage that QEMU itself reaches over the network."""

    protocol: Required[Literal["nbd", "rbd", "iscsi", "gluster", "sheepdog", "nfs"]]
    name: str
    hosts: Sequence[str]
    socket: str
    snapshot: str
    config: str
    tls: bool
    tlsHostname: str
    initiator: str
    user: str
    group: str


class DiskNvme(TypedDict, total=False):
    """A namespace of an NVMe controller of the host, driven by QEMU itself; the host loses the controller
    meanwhile.
    """

    device: Required[str]
    namespace: Required[int]
    managed: bool


class DiskAuthSecret(TypedDict, total=False):
    """The secret of libvirt's that holds the password or key."""

    usage: str
    uuid: str


class DiskAuth(TypedDict, total=False):
    """As whom QEMU logs in to RBD or iSCSI."""

    username: Required[str]
    secret: Required[DiskAuthSecret]


class DiskEncryptionSecret(TypedDict, total=False):
    """The secret of libvirt's that holds the passphrase."""

    usage: str
    uuid: str


class DiskEncryption(TypedDict, total=False):
    """How the data is encrypted; the passphrase is a secret of libvirt's."""

    format: Required[Literal["luks", "luks2"]]
    engine: Literal["qemu", "librbd"]
    secret: Required[DiskEncryptionSecret]


class IoLimits(TypedDict, total=False):
    """How fast the guest may read and write a disk."""

    bytesPerSecond: int | str
    readBytesPerSecond: int | str
    writeBytesPerSecond: int | str
    iops: int
    readIops: int
    writeIops: int


class DiskIoBurstSeconds(TypedDict, total=False):
    """For how long each."""

    bytesPerSecond: int
    readBytesPerSecond: int
    writeBytesPerSecond: int
    iops: int
    readIops: int
    writeIops: int


class DiskIoBurst(TypedDict, total=False):
    """How much faster than `ioLimits` a guest may be for a short time."""

    bytesPerSecond: int | str
    readBytesPerSecond: int | str
    writeBytesPerSecond: int | str
    iops: int
    readIops: int
    writeIops: int
    seconds: DiskIoBurstSeconds


class DiskDriver(TypedDict, total=False):
    """How QEMU opens the disk and hands it on."""

    cache: Literal["default", "none", "writeback", "writethrough", "directsync", "unsafe"]
    io: Literal["threads", "native", "io_uring"]
    errorPolicy: Literal["stop", "report", "ignore", "enospace"]
    readErrorPolicy: Literal["stop", "report", "ignore"]
    copyOnRead: bool
    discard: Literal["unmap", "ignore"]
    detectZeroes: Literal["off", "on", "unmap"]
    ioThread: int
    queues: int
    queueSize: int
    ioeventfd: bool
    eventIdx: bool
    metadataCache: str
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
    """A disk: a new volume (`size`), an existing one (`volume`), or what else of the host or the network it
    is.
    """

    name: str
    size: str
    format: Literal["qcow2", "raw", "qcow", "qed", "vmdk", "vdi", "vpc"]
    pool: str
    base: str
    volume: str
    file: str
    block: str
    url: str
    network: DiskNetwork
    nvme: DiskNvme
    vhostUser: str
    auth: DiskAuth
    encryption: DiskEncryption
    reservations: bool
    device: Literal["disk", "lun"]
    bus: Literal["virtio", "scsi", "sata", "ide", "usb"]
    bootOrder: int
    target: str
    ioLimits: IoLimits
    readOnly: bool
    ioBurst: DiskIoBurst
    ioSize: str
    ioGroup: str
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
    address: str
    alias: str
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
    address: str


class FloppyDriver(TypedDict, total=False):
    """How QEMU opens the medium."""

    cache: Literal["default", "none", "writeback", "writethrough", "directsync", "unsafe"]
    io: Literal["threads", "native", "io_uring"]
    errorPolicy: Literal["stop", "report", "ignore", "enospace"]
    readErrorPolicy: Literal["stop", "report", "ignore"]


class Floppy(TypedDict, total=False):
    """A floppy drive; empty without a medium."""

    target: str
    volume: str
    path: str
    readOnly: bool
    bootOrder: int
    driver: FloppyDriver
    startupPolicy: Literal["mandatory", "requisite", "optional"]
    address: str


class InterfaceDirect(TypedDict, total=False):
    """A NIC of the host, through a macvtap of its own."""

    dev: Required[str]
    mode: Literal["vepa", "bridge", "private", "passthrough"]


class InterfaceUserIp(TypedDict, total=False):
    """One address."""

    address: Required[str]
    prefix: int


class InterfaceUserPortForwardRange(TypedDict, total=False):
    """Ports that are forwarded, or left out."""

    start: Required[int]
    end: int
    to: int
    exclude: bool


class InterfaceUserPortForward(TypedDict, total=False):
    """Some ports of one protocol."""

    proto: Required[Literal["tcp", "udp"]]
    address: str
    dev: str
    ranges: Sequence[InterfaceUserPortForwardRange]


class InterfaceUser(TypedDict, total=False):
    """Through a program of the host's, without any right there: the guest gets out, and nobody gets in by
    itself.
    """

    passt: bool
    logFile: str
    dev: str
    ips: Sequence[InterfaceUserIp]
    portForward: Sequence[InterfaceUserPortForward]


class InterfaceVhostUserReconnect(TypedDict, total=False):
    """That a client whose switch is gone tries again."""

    timeout: Required[int]


class InterfaceVhostUser(TypedDict, total=False):
    """A switch in a program of the host's, such as DPDK's, by a socket."""

    path: Required[str]
    mode: Required[Literal["client", "server"]]
    reconnect: InterfaceVhostUserReconnect


class InterfaceHostdev(TypedDict, total=False):
    """A network card of the host's, handed to the guest as it is; mostly a virtual function of one."""

    address: Required[str]
    managed: bool


class InterfaceVdpa(TypedDict, total=False):
    """A network card that does virtio's part in its hardware."""

    dev: Required[str]


class InterfaceEthernetIp(TypedDict, total=False):
    """One address."""

    address: Required[str]
    prefix: int
    peer: str


class InterfaceEthernetRoute(TypedDict, total=False):
    """One route."""

    address: Required[str]
    family: Literal["ipv4", "ipv6"]
    prefix: int
    gateway: Required[str]
    metric: int


class InterfaceEthernet(TypedDict, total=False):
    """A tap of its own that is in no bridge: who has plans for it does the rest."""

    managed: bool
    ips: Sequence[InterfaceEthernetIp]
    routes: Sequence[InterfaceEthernetRoute]


class InterfaceUdp(TypedDict, total=False):
    """A tunnel to another machine of QEMU's, by UDP."""

    address: Required[str]
    port: Required[int]
    localAddress: Required[str]
    localPort: Required[int]


class InterfaceMcast(TypedDict, total=False):
    """A network among machines of QEMU's that all send to one multicast address."""

    address: Required[str]
    port: Required[int]


class InterfaceServer(TypedDict, total=False):
    """The one end of a tunnel by TCP to another machine of QEMU's."""

    address: Required[str]
    port: Required[int]


class InterfaceClient(TypedDict, total=False):
    """The other end of a tunnel by TCP to another machine of QEMU's."""

    address: Required[str]
    port: Required[int]


class InterfacePort(TypedDict, total=False):
    """Its place on the bridge."""

    isolated: bool


class InterfaceBandwidthInbound(TypedDict, total=False):
    """Of what comes to it."""

    average: str
    peak: str
    burst: str
    floor: str


class InterfaceBandwidthOutbound(TypedDict, total=False):
    """Of what it sends."""

    average: str
    peak: str
    burst: str


class InterfaceBandwidth(TypedDict, total=False):
    """How much may pass it."""

    inbound: InterfaceBandwidthInbound
    outbound: InterfaceBandwidthOutbound


class InterfaceFilterParameter(TypedDict, total=False):
    """One value."""

    name: Required[str]
    value: Required[str]


class InterfaceFilter(TypedDict, total=False):
    """The filter that its packets pass."""

    name: Required[str]
    parameters: Sequence[InterfaceFilterParameter]


class InterfaceVlanTag(TypedDict, total=False):
    """One tag."""

    id: Required[int]
    nativeMode: Literal["tagged", "untagged"]


class InterfaceVlan(TypedDict, total=False):
    """The VLANs that it carries, where its switch knows any."""

    trunk: bool
    tags: Sequence[InterfaceVlanTag]


class InterfaceVirtualport(TypedDict, total=False):
    """How it joins a switch that wants to know who joins."""

    type: Literal["802.1Qbg", "802.1Qbh", "openvswitch", "midonet"]
    managerId: int
    typeId: int
    typeIdVersion: int
    instanceId: str
    profileId: str
    interfaceId: str


class InterfaceCoalesceRxFrames(TypedDict, total=False):
    """By their number."""

    max: int


class InterfaceCoalesceRx(TypedDict, total=False):
    """Received ones."""

    frames: InterfaceCoalesceRxFrames


class InterfaceCoalesce(TypedDict, total=False):
    """How packets for it are gathered."""

    rx: InterfaceCoalesceRx


class InterfaceDriverHost(TypedDict, total=False):
    """What the guest may leave to the host."""

    csum: bool
    gso: bool
    tso4: bool
    tso6: bool
    ecn: bool
    ufo: bool
    mrgRxbuf: bool


class InterfaceDriverGuest(TypedDict, total=False):
    """What the host may leave to the guest."""

    csum: bool
    tso4: bool
    tso6: bool
    ecn: bool
    ufo: bool


class InterfaceDriver(TypedDict, total=False):
    """How a card of the model virtio does its work."""

    name: Literal["vhost", "qemu", "vfio"]
    queues: int
    rxQueueSize: int
    txQueueSize: int
    txMode: Literal["iothread", "timer"]
    ioeventfd: bool
    eventIdx: bool
    rss: bool
    rssHashReport: bool
    iommu: bool
    ats: bool
    packed: bool
    pagePerVq: bool
    host: InterfaceDriverHost
    guest: InterfaceDriverGuest


class InterfaceBackend(TypedDict, total=False):
    """The host's devices through which the card works."""

    tap: str
    vhost: str


class InterfaceRom(TypedDict, total=False):
    """The card's ROM, from which a guest boots over the network."""

    enabled: bool
    bar: bool
    file: str


class InterfaceTune(TypedDict, total=False):
    """How its tap is tuned."""

    sndbuf: int


class InterfaceTeaming(TypedDict, total=False):
    """Two interfaces that are one to the guest, so that the machine can move without its card of the host's."""

    type: Required[Literal["persistent", "transient"]]
    persistent: str


class Interface(TypedDict, total=False):
    """A network interface, and what it is plugged into."""

    name: str
    network: str
    bridge: str
    direct: InterfaceDirect
    user: InterfaceUser
    vhostUser: InterfaceVhostUser
    hostdev: InterfaceHostdev
    vdpa: InterfaceVdpa
    ethernet: InterfaceEthernet
    udp: InterfaceUdp
    mcast: InterfaceMcast
    server: InterfaceServer
    client: InterfaceClient
    portgroup: str
    model: Literal[
        "virtio",
        "virtio-transitional",
        "virtio-non-transitional",
        "e1000",
        "e1000e",
        "igb",
        "rtl8139",
        "ne2k_pci",
        "pcnet",
        "i82551",
        "i82557b",
        "i82559er",
        "vmxnet3",
        "usb-net",
        "spapr-vlan",
        "lan9118",
        "smc91c111",
    ]
    mac: str
    bootOrder: int
    link: Literal["up", "down"]
    mtu: int
    port: InterfacePort
    bandwidth: InterfaceBandwidth
    filter: InterfaceFilter
    vlan: InterfaceVlan
    virtualport: InterfaceVirtualport
    trustGuestRxFilters: bool
    coalesce: InterfaceCoalesce
    targetDev: str
    driver: InterfaceDriver
    backend: InterfaceBackend
    rom: InterfaceRom
    tune: InterfaceTune
    teaming: InterfaceTeaming
    acpiIndex: int
    address: str
    alias: str
    addresses: Sequence[str]
    gateways: Sequence[str]
    nameservers: Sequence[str]


class SecretFrom(TypedDict, total=False):
    """Where a secret is kept, never the secret itself: exactly one of `file` and `env`."""

    file: str
    env: str


class GraphicsChannel(TypedDict, total=False):
    """One channel."""

    name: Required[Literal["main", "display", "inputs", "cursor", "playback", "record", "smartcard", "usbredir"]]
    mode: Required[Literal["secure", "insecure"]]


class GraphicsGl(TypedDict, total=False):
    """Whether the host's GPU draws for it."""

    enable: bool
    renderNode: str


class Graphics(TypedDict, total=False):
    """The graphical console."""

    type: Literal["vnc", "spice", "none"]
    listen: str
    passwordFrom: SecretFrom
    passwordValidTo: str
    port: int
    tlsPort: int
    websocket: int
    socket: str
    keymap: str
    sharePolicy: Literal["allow-exclusive", "force-shared", "ignore"]
    powerControl: bool
    defaultMode: Literal["any", "secure", "insecure"]
    channels: Sequence[GraphicsChannel]
    imageCompression: Literal["auto_glz", "auto_lz", "quic", "glz", "lz", "off"]
    jpegCompression: Literal["auto", "never", "always"]
    zlibCompression: Literal["auto", "never", "always"]
    playbackCompression: bool
    streaming: Literal["filter", "all", "off"]
    clipboard: bool
    fileTransfer: bool
    mouse: Literal["server", "client"]
    gl: GraphicsGl
    audio: int


class MoreGraphicChannel(TypedDict, total=False):
    """One channel."""

    name: Required[Literal["main", "display", "inputs", "cursor", "playback", "record", "smartcard", "usbredir"]]
    mode: Required[Literal["secure", "insecure"]]


class MoreGraphicGl(TypedDict, total=False):
    """Whether the host's GPU draws for it."""

    enable: bool
    renderNode: str


class MoreGraphic(TypedDict, total=False):
    """One console."""

    type: Required[Literal["vnc", "spice", "egl-headless", "dbus", "sdl"]]
    listen: str
    port: int
    tlsPort: int
    websocket: int
    socket: str
    keymap: str
    sharePolicy: Literal["allow-exclusive", "force-shared", "ignore"]
    powerControl: bool
    defaultMode: Literal["any", "secure", "insecure"]
    channels: Sequence[MoreGraphicChannel]
    imageCompression: Literal["auto_glz", "auto_lz", "quic", "glz", "lz", "off"]
    jpegCompression: Literal["auto", "never", "always"]
    zlibCompression: Literal["auto", "never", "always"]
    playbackCompression: bool
    streaming: Literal["filter", "all", "off"]
    clipboard: bool
    fileTransfer: bool
    mouse: Literal["server", "client"]
    gl: MoreGraphicGl
    audio: int
    display: str
    fullScreen: bool
    busAddress: str
    peerToPeer: bool


class ChannelLog(TypedDict, total=False):
    """A file on the host that keeps whatever the guest says, beside the other end."""

    file: Required[str]
    append: bool


class Channel(TypedDict, total=False):
    """One channel."""

    name: Required[str]
    type: Required[
        Literal[
            "pty",
            "dev",
            "file",
            "pipe",
            "unix",
            "tcp",
            "udp",
            "null",
            "stdio",
            "vc",
            "spicevmc",
            "spiceport",
            "qemu-vdagent",
            "dbus",
        ]
    ]
    path: str
    mode: Literal["bind", "connect"]
    connect: str
    listen: str
    tls: bool
    protocol: Literal["raw", "telnet", "telnets", "tls"]
    reconnect: int
    append: bool
    channel: str
    log: ChannelLog
    clipboard: bool
    mouse: Literal["server", "client"]
    address: str
    alias: str


class SerialLog(TypedDict, total=False):
    """A file on the host that keeps whatever the guest says, beside the other end."""

    file: Required[str]
    append: bool


class Serial(TypedDict, total=False):
    """One serial line."""

    type: Required[
        Literal["pty", "dev", "file", "pipe", "unix", "tcp", "udp", "null", "stdio", "vc", "spiceport", "dbus"]
    ]
    path: str
    mode: Literal["bind", "connect"]
    connect: str
    listen: str
    tls: bool
    protocol: Literal["raw", "telnet", "telnets", "tls"]
    reconnect: int
    append: bool
    channel: str
    log: SerialLog
    target: Literal[
        "isa-serial", "usb-serial", "pci-serial", "spapr-vio-serial", "system-serial", "sclp-serial", "isa-debug"
    ]
    model: Literal[
        "isa-serial",
        "usb-serial",
        "pci-serial",
        "spapr-vty",
        "pl011",
        "16550a",
        "sclpconsole",
        "sclplmconsole",
        "isa-debugcon",
    ]
    port: int
    address: str
    alias: str


class ConsoleLog(TypedDict, total=False):
    """A file on the host that keeps whatever the guest says, beside the other end."""

    file: Required[str]
    append: bool


class Console(TypedDict, total=False):
    """One console."""

    target: Required[Literal["virtio", "sclp", "sclplm"]]
    type: Required[
        Literal["pty", "dev", "file", "pipe", "unix", "tcp", "udp", "null", "stdio", "vc", "spiceport", "dbus"]
    ]
    path: str
    mode: Literal["bind", "connect"]
    connect: str
    listen: str
    tls: bool
    protocol: Literal["raw", "telnet", "telnets", "tls"]
    reconnect: int
    append: bool
    channel: str
    log: ConsoleLog
    address: str
    alias: str


class ParallelLog(TypedDict, total=False):
    """A file on the host that keeps whatever the guest says, beside the other end."""

    file: Required[str]
    append: bool


class Parallel(TypedDict, total=False):
    """One parallel port."""

    type: Required[Literal["pty", "dev", "file", "pipe", "unix", "tcp", "udp", "null", "stdio", "vc"]]
    path: str
    mode: Literal["bind", "connect"]
    connect: str
    listen: str
    tls: bool
    protocol: Literal["raw", "telnet", "telnets", "tls"]
    reconnect: int
    append: bool
    log: ParallelLog
    port: int
    address: str
    alias: str


class VideoResolution(TypedDict, total=False):
    """The size of the screen that it tells the guest."""

    x: Required[int]
    y: Required[int]


class VideoDriver(TypedDict, total=False):
    """How the device and its driver work together."""

    iommu: bool
    ats: bool
    packed: bool
    pagePerVq: bool


class Video(TypedDict, total=False):
    """One video card."""

    model: Required[Literal["vga", "virtio", "qxl", "bochs", "cirrus", "vmvga", "ramfb", "none"]]
    heads: int
    vram: str
    ram: str
    vgamem: str
    vram64: str
    accel3d: bool
    renderNode: str
    resolution: VideoResolution
    backend: Literal["qemu", "vhostuser"]
    driver: VideoDriver
    address: str
    alias: str


class Sound(TypedDict, total=False):
    """One sound card."""

    model: Required[Literal["ich9", "ich6", "ac97", "usb", "es1370", "sb16", "pcspk"]]
    codecs: Sequence[Literal["duplex", "output", "micro"]]
    audio: int
    address: str
    alias: str


class AudioInput(TypedDict, total=False):
    """What is recorded."""

    mixingEngine: bool
    fixedSettings: bool
    voices: int
    bufferLength: int
    frequency: int
    channels: int
    format: Literal["s8", "u8", "s16", "u16", "s32", "u32", "f32"]
    device: str
    name: str
    streamName: str
    latency: int


class AudioOutput(TypedDict, total=False):
    """What is played."""

    mixingEngine: bool
    fixedSettings: bool
    voices: int
    bufferLength: int
    frequency: int
    channels: int
    format: Literal["s8", "u8", "s16", "u16", "s32", "u32", "f32"]
    device: str
    name: str
    streamName: str
    latency: int


class Audio(TypedDict, total=False):
    """One backend."""

    id: Required[int]
    type: Required[Literal["none", "spice", "dbus", "alsa", "pulseaudio", "jack", "oss", "sdl", "file"]]
    timerPeriod: int
    serverName: str
    path: str
    input: AudioInput
    output: AudioOutput


class InputDriver(TypedDict, total=False):
    """How the device and its driver work together."""

    iommu: bool
    ats: bool
    packed: bool
    pagePerVq: bool


class Input(TypedDict, total=False):
    """One of them."""

    type: Required[Literal["tablet", "mouse", "keyboard", "passthrough", "evdev"]]
    bus: Literal["usb", "virtio"]
    model: Literal["virtio", "virtio-transitional", "virtio-non-transitional"]
    evdev: str
    device: str
    grab: bool
    grabToggle: Literal["ctrl-ctrl", "alt-alt", "shift-shift", "meta-meta", "scrolllock", "ctrl-scrolllock"]
    repeat: bool
    driver: InputDriver
    address: str
    alias: str


class RngEgd(TypedDict, total=False):
    """Of egd: where the daemon is."""

    type: Required[Literal["tcp", "unix", "udp", "dev", "pipe", "pty"]]
    path: str
    mode: Literal["bind", "connect"]
    connect: str
    listen: str


class RngRate(TypedDict, total=False):
    """At most so much of it."""

    bytes: Required[int]
    period: int


class RngDriver(TypedDict, total=False):
    """How the device and its driver work together."""

    iommu: bool
    ats: bool
    packed: bool
    pagePerVq: bool


class Rng(TypedDict, total=False):
    """One source."""

    model: Required[Literal["virtio", "virtio-transitional", "virtio-non-transitional"]]
    backend: Required[Literal["random", "builtin", "egd"]]
    device: Literal["/dev/urandom", "/dev/random", "/dev/hwrng"]
    egd: RngEgd
    rate: RngRate
    driver: RngDriver
    address: str
    alias: str


class BalloonDriver(TypedDict, total=False):
    """How the device and its driver work together."""

    iommu: bool
    ats: bool
    packed: bool
    pagePerVq: bool


class Balloon(TypedDict, total=False):
    """The device through which a guest gives memory back, and tells how much of it is free."""

    model: Literal["virtio", "virtio-transitional", "virtio-non-transitional", "none"]
    autodeflate: bool
    freePageReporting: bool
    statsPeriod: int
    driver: BalloonDriver
    address: str
    alias: str


class VsockCid(TypedDict, total=False):
    """The guest's number in it."""

    auto: bool
    address: int


class VsockDriver(TypedDict, total=False):
    """How the device and its driver work together."""

    iommu: bool
    ats: bool
    packed: bool
    pagePerVq: bool


class Vsock(TypedDict, total=False):
    """A socket family of its own between guest and host, without a network."""

    model: Literal["virtio", "virtio-transitional", "virtio-non-transitional"]
    cid: VsockCid
    driver: VsockDriver
    address: str
    alias: str


class ShmemMsi(TypedDict, total=False):
    """Of doorbell: its interrupts."""

    vectors: int
    ioeventfd: bool


class Shmem(TypedDict, total=False):
    """One piece of it."""

    name: Required[str]
    role: Literal["master", "peer"]
    model: Required[Literal["ivshmem-plain", "ivshmem-doorbell", "ivshmem"]]
    size: str
    server: str
    msi: ShmemMsi
    address: str
    alias: str


class Panic(TypedDict, total=False):
    """One of them."""

    model: Required[Literal["isa", "hyperv", "pseries", "s390"]]
    address: str
    alias: str


class Watchdog(TypedDict, total=False):
    """A device that does something about a guest from which it hasn't heard for a while: one that hangs."""

    model: Required[Literal["i6300esb", "ib700", "itco", "diag288"]]
    action: Literal["reset", "shutdown", "poweroff", "pause", "dump", "inject-nmi", "none"]
    address: str
    alias: str


class TpmActivePcrBanks(TypedDict, total=False):
    """Of emulator: the banks of registers that are in use."""

    sha1: bool
    sha256: bool
    sha384: bool
    sha512: bool


class Tpm(TypedDict, total=False):
    """A Trusted Platform Module, which keeps keys and measurements; Windows 11 wants one of version 2.0."""

    model: Literal["tpm-crb", "tpm-tis", "tpm-spapr", "spapr-tpm-proxy"]
    backend: Required[Literal["emulator", "passthrough", "external"]]
    version: Literal["2.0", "1.2"]
    persistentState: bool
    encryption: str
    activePcrBanks: TpmActivePcrBanks
    device: str
    socket: str
    address: str
    alias: str


class Iommu(TypedDict, total=False):
    """A virtual IOMMU, which guests need to pass devices on, or for more than 255 CPUs."""

    model: Required[Literal["intel", "smmuv3", "virtio"]]
    interruptRemapping: bool
    cachingMode: bool
    eim: bool
    iotlb: bool
    addressWidth: int
    address: str
    alias: str


class Hub(TypedDict, total=False):
    """One hub."""

    address: str
    alias: str


class NvramDevice(TypedDict, total=False):
    """Of a machine for POWER: the device that its firmware's variables are on."""

    address: str


class FilesystemDriver(TypedDict, total=False):
    """How it works."""

    queue: int
    immediateWrites: bool
    iommu: bool
    ats: bool
    packed: bool
    pagePerVq: bool


class Filesystem(TypedDict, total=False):
    """One folder."""

    target: Required[str]
    source: str
    socket: str
    type: Literal["virtiofs", "path", "handle"]
    accessMode: Literal["passthrough", "mapped", "squash"]
    readOnly: bool
    multidevs: Literal["remap", "forbid", "warn"]
    fileMode: str
    folderMode: str
    binary: str
    xattr: bool
    cache: Literal["none", "always"]
    sandbox: Literal["namespace", "chroot"]
    posixLock: bool
    flock: bool
    threadPool: int
    model: Literal["virtio", "virtio-transitional", "virtio-non-transitional"]
    bootOrder: int
    driver: FilesystemDriver
    address: str
    alias: str


class Redirdev(TypedDict, total=False):
    """One place."""

    type: Required[Literal["spicevmc", "tcp", "unix", "pty", "dev", "file", "pipe", "udp", "null"]]
    path: str
    mode: Literal["bind", "connect"]
    connect: str
    listen: str
    bootOrder: int
    address: str
    alias: str


class RedirFilter(TypedDict, total=False):
    """One rule."""

    allow: Required[bool]
    deviceClass: str
    vendor: str
    product: str
    version: str


class Smartcard(TypedDict, total=False):
    """One reader."""

    type: Required[
        Literal["spicevmc", "host", "host-certificates", "tcp", "unix", "pty", "dev", "file", "pipe", "udp", "null"]
    ]
    certificates: Sequence[str]
    path: str
    mode: Literal["bind", "connect"]
    connect: str
    listen: str
    address: str


class HostDeviceRom(TypedDict, total=False):
    """Of PCI: its ROM, which its firmware is in."""

    enabled: bool
    bar: bool
    file: str


class HostDevice(TypedDict, total=False):
    """One device of the host."""

    device: str
    pci: str
    usb: str
    scsi: str
    mdev: str
    vhost: str
    model: Literal["vfio-pci", "vfio-ccw", "vfio-ap", "virtio", "virtio-transitional", "virtio-non-transitional"]
    managed: bool
    display: bool
    ramfb: bool
    driver: Literal["vfio", "kvm", "xen"]
    startupPolicy: Literal["mandatory", "requisite", "optional"]
    guestReset: Literal["on", "off", "uninitialized"]
    rawIo: bool
    unfiltered: bool
    readOnly: bool
    shareable: bool
    rom: HostDeviceRom
    bootOrder: int
    acpiIndex: int
    address: str
    alias: str


class Access(TypedDict, total=False):
    """Who, besides administrators, may use the machine through the API."""

    users: Sequence[str]
    groups: Sequence[str]


class FirmwareFeatures(TypedDict, total=False):
    """What the host's choice of UEFI has to be able to do."""

    secureBoot: bool
    enrolledKeys: bool


class Loader(TypedDict, total=False):
    """The firmware's own file, where the host isn't to choose one."""

    path: str
    type: Literal["rom", "pflash"]
    readonly: bool
    secure: bool
    stateless: bool


class Nvram(TypedDict, total=False):
    """Where UEFI keeps its variables."""

    path: str
    template: str


class Bios(TypedDict, total=False):
    """What else the BIOS does."""

    useSerial: bool
    rebootTimeout: int


class KernelBoot(TypedDict, total=False):
    """A kernel that the hypervisor starts itself, past the firmware's boot order."""

    kernel: str
    initrd: str
    cmdline: str
    dtb: str


class FeaturesHyperv(TypedDict, total=False):
    """What Windows guests are told of the hypervisor, in the words of Hyper-V, so that they run faster."""

    mode: Literal["custom", "passthrough"]
    relaxed: bool
    vapic: bool
    spinlocks: int
    vpindex: bool
    runtime: bool
    synic: bool
    stimer: bool
    stimerDirect: bool
    reset: bool
    vendorId: str
    frequencies: bool
    reenlightenment: bool
    tlbflush: bool
    ipi: bool
    evmcs: bool
    avic: bool


class FeaturesKvm(TypedDict, total=False):
    """What guests are told of KVM."""

    hidden: bool
    hintDedicated: bool
    pollControl: bool
    pvIpi: bool
    dirtyRing: int


class Features(TypedDict, total=False):
    """Features of the machine itself."""

    acpi: bool
    apic: bool
    apicEoi: bool
    pae: bool
    hap: bool
    hyperv: FeaturesHyperv
    kvm: FeaturesKvm
    pvspinlock: bool
    pmu: bool
    vmport: bool
    smm: bool
    smmTseg: str
    ioapic: Literal["qemu", "kvm"]
    gic: Literal["host", "2", "3"]
    vmcoreinfo: bool
    msrs: Literal["ignore", "fault"]
    hptResizing: Literal["enabled", "disabled", "required"]
    hptMaxPageSize: str
    htm: bool
    nestedHv: bool
    ccfAssist: bool
    cfpc: Literal["broken", "workaround", "fixed"]
    sbbc: Literal["broken", "workaround", "fixed"]
    ibs: Literal["broken", "workaround", "fixed-ibs", "fixed-ccd", "fixed-na"]
    tcgTbCache: str


class ClockTimerCatchup(TypedDict, total=False):
    """How ticks are caught up with `tickpolicy: catchup`."""

    threshold: int
    slew: int
    limit: int


class ClockTimer(TypedDict, total=False):
    """One timer."""

    name: Required[Literal["rtc", "tsc", "hpet", "pit", "kvmclock", "hypervclock", "armvtimer"]]
    present: bool
    tickpolicy: Literal["delay", "catchup", "merge", "discard"]
    track: Literal["guest", "wall"]
    frequency: int
    mode: Literal["auto", "native", "emulate", "paravirt", "smpsafe"]
    catchup: ClockTimerCatchup


class Clock(TypedDict, total=False):
    """The clock that the guest finds at its start."""

    offset: Literal["utc", "localtime", "timezone", "variable", "absolute"]
    timezone: str
    adjustment: int
    basis: Literal["utc", "localtime"]
    start: int
    timers: Sequence[ClockTimer]


class Pm(TypedDict, total=False):
    """Whether the guest can sleep."""

    suspendToMem: bool
    suspendToDisk: bool


class SmbiosBios(TypedDict, total=False):
    """The firmware."""

    vendor: str
    version: str
    date: str
    release: str


class SmbiosSystem(TypedDict, total=False):
    """The machine as a whole."""

    manufacturer: str
    product: str
    version: str
    serial: str
    sku: str
    family: str


class SmbiosBaseBoard(TypedDict, total=False):
    """One main board."""

    manufacturer: str
    product: str
    version: str
    serial: str
    asset: str
    location: str


class SmbiosChassis(TypedDict, total=False):
    """The chassis."""

    manufacturer: str
    version: str
    serial: str
    asset: str
    sku: str


class Smbios(TypedDict, total=False):
    """What the machine tells the guest of itself, as dmidecode shows it."""

    mode: Literal["emulate", "host", "sysinfo"]
    bios: SmbiosBios
    system: SmbiosSystem
    baseBoards: Sequence[SmbiosBaseBoard]
    chassis: SmbiosChassis
    oemStrings: Sequence[str]


class FwCfg(TypedDict, total=False):
    """One entry: a text (`value`) or a file (`file`)."""

    name: Required[str]
    value: str
    file: str


class LaunchSecurity(TypedDict, total=False):
    """Memory that the host can't read, where its processor can do that."""

    type: Required[Literal["sev", "s390-pv"]]
    policy: int
    cbitpos: int
    reducedPhysBits: int
    dhCert: str
    session: str
    kernelHashes: bool


class SecurityLabel(TypedDict, total=False):
    """The label of one model."""

    model: str
    type: Required[Literal["dynamic", "static", "none"]]
    relabel: bool
    label: str
    baselabel: str


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
    cpuMode: Literal["host-model", "host-passthrough", "maximum", "custom", "default"]
    cpu: Cpu
    cpuTune: CpuTune
    ioThreads: int
    ioThreadPools: Sequence[IoThreadPool]
    memory: int | str
    maximumMemory: int | str
    memoryBacking: MemoryBacking
    memoryTune: MemoryTune
    memoryRoom: MemoryRoom
    memoryModules: Sequence[MemoryModule]
    numa: Numa
    numaTune: NumaTune
    controllers: Sequence[Controller]
    disks: Sequence[Disk]
    cdroms: Sequence[Cdrom]
    floppies: Sequence[Floppy]
    interfaces: Sequence[Interface]
    graphics: Graphics
    serialConsole: bool
    moreGraphics: Sequence[MoreGraphic]
    channels: Sequence[Channel]
    serials: Sequence[Serial]
    consoles: Sequence[Console]
    parallels: Sequence[Parallel]
    videos: Sequence[Video]
    sounds: Sequence[Sound]
    audios: Sequence[Audio]
    inputs: Sequence[Input]
    rngs: Sequence[Rng]
    balloon: Balloon
    vsock: Vsock
    shmems: Sequence[Shmem]
    panics: Sequence[Panic]
    watchdog: Watchdog
    tpm: Tpm
    iommu: Iommu
    hubs: Sequence[Hub]
    nvramDevice: NvramDevice
    filesystems: Sequence[Filesystem]
    redirdevs: Sequence[Redirdev]
    redirFilter: Sequence[RedirFilter]
    smartcards: Sequence[Smartcard]
    hostDevices: Sequence[HostDevice]
    access: Access
    runStrategy: Literal["Always", "RerunOnFailure", "Manual", "Halted"]
    paused: bool
    autostart: bool
    defaults: Literal["onggi", "libvirt"]
    guestOs: Literal["linux", "windows", "windows11", "other"]
    domainType: Literal["kvm", "emulated"]
    arch: str
    machine: str
    emulator: str
    firmware: Literal["bios", "uefi"]
    secureBoot: bool
    firmwareFeatures: FirmwareFeatures
    loader: Loader
    nvram: Nvram
    bootDevices: Sequence[Literal["hd", "cdrom", "network", "fd"]]
    bootMenu: bool
    bootMenuTimeout: int
    bios: Bios
    kernelBoot: KernelBoot
    slicTable: str
    features: Features
    clock: Clock
    onPoweroff: Literal["destroy", "restart"]
    onReboot: Literal["destroy", "restart"]
    onCrash: Literal["destroy", "restart", "preserve", "coredump-destroy", "coredump-restart"]
    onLockFailure: Literal["poweroff", "restart", "pause", "ignore"]
    pm: Pm
    genid: str
    smbios: Smbios
    fwCfg: Sequence[FwCfg]
    launchSecurity: LaunchSecurity
    securityLabels: Sequence[SecurityLabel]
    resourcePartition: str
    perfEvents: Sequence[str]
    xml: str
    cloudInit: CloudInit
    restartPolicy: Literal["Never", "WhenStopped", "Graceful"]
    shutdownTimeout: int
    forceStop: bool
    deletionPolicy: Literal["Retain", "Delete"]
    driftPolicy: Literal["enforce", "warn", "ignore"]
    ignoreFields: Sequence[str]


class LoweredCpuFeature(TypedDict, total=False):
    """A feature of the CPU."""

    name: Required[str]
    policy: str


class LoweredCpuAddressBits(TypedDict, total=False):
    """How wide addresses of physical memory are, which a machine with a lot of memory needs."""

    mode: Required[str]
    bits: int


class LoweredCpu(TypedDict, total=False):
    """What the CPU is, beside its `cpuMode`."""

    model: str
    fallback: str
    vendorId: str
    vendor: str
    match: str
    check: str
    migratable: bool
    features: Sequence[LoweredCpuFeature]
    addressBits: LoweredCpuAddressBits
    cache: str


class LoweredCpuTuneVcpuScheduler(TypedDict, total=False):
    """Some CPUs'."""

    vcpus: Required[str]
    scheduler: Required[str]
    priority: int


class LoweredCpuTuneIoThreadScheduler(TypedDict, total=False):
    """Some threads'."""

    ioThreads: Required[str]
    scheduler: Required[str]
    priority: int


class LoweredCpuTuneEmulatorScheduler(TypedDict, total=False):
    """How the host schedules what the hypervisor does beside the CPUs."""

    scheduler: Required[str]
    priority: int


class LoweredCpuTune(TypedDict, total=False):
    """Which of the host's processors the machine runs on, and how much of them it gets."""

    processors: str
    placement: str
    vcpuPins: Sequence[CpuTuneVcpuPin]
    emulatorPin: str
    ioThreadPins: Sequence[CpuTuneIoThreadPin]
    shares: int
    period: int
    quota: int
    globalPeriod: int
    globalQuota: int
    emulatorPeriod: int
    emulatorQuota: int
    ioThreadPeriod: int
    ioThreadQuota: int
    vcpuSchedulers: Sequence[LoweredCpuTuneVcpuScheduler]
    ioThreadSchedulers: Sequence[LoweredCpuTuneIoThreadScheduler]
    emulatorScheduler: LoweredCpuTuneEmulatorScheduler


class LoweredMemoryBackingPage(TypedDict, total=False):
    """One size."""

    size: Required[int]
    cells: str


class LoweredMemoryBackingAllocation(TypedDict, total=False):
    """How it is taken from the host."""

    mode: str
    threads: int


class LoweredMemoryBacking(TypedDict, total=False):
    """Where the host has the machine's memory."""

    hugePages: bool
    pages: Sequence[LoweredMemoryBackingPage]
    noSharePages: bool
    locked: bool
    source: str
    access: str
    allocation: LoweredMemoryBackingAllocation
    discard: bool


class LoweredMemoryTune(TypedDict, total=False):
    """How much of the host's memory the machine may take, all that the hypervisor needs included."""

    hardLimit: int
    softLimit: int
    swapHardLimit: int


class LoweredMemoryRoom(TypedDict, total=False):
    """Room for memory modules, which needs `numa.cells`."""

    size: Required[int]
    slots: Required[int]


class LoweredMemoryModule(TypedDict, total=False):
    """A module of memory."""

    model: Required[str]
    size: Required[int]
    node: int
    requested: int
    block: int
    path: str
    access: str
    discard: bool
    alignSize: int
    persistent: bool
    pageSize: int
    nodes: str
    label: int
    readOnly: bool
    address: str
    alias: str


class LoweredNumaCell(TypedDict, total=False):
    """A NUMA cell of the machine."""

    id: Required[int]
    cpus: str
    memory: Required[int]
    memAccess: str
    discard: bool
    distances: Sequence[NumaCellDistance]


class LoweredNumaLatencie(TypedDict, total=False):
    """Between two cells."""

    initiator: Required[int]
    target: Required[int]
    type: Required[str]
    value: Required[int]


class LoweredNumaBandwidth(TypedDict, total=False):
    """Between two cells."""

    initiator: Required[int]
    target: Required[int]
    type: Required[str]
    value: Required[int]


class LoweredNuma(TypedDict, total=False):
    """NUMA cells: how the machine's CPUs and memory are divided."""

    cells: Sequence[LoweredNumaCell]
    latencies: Sequence[LoweredNumaLatencie]
    bandwidths: Sequence[LoweredNumaBandwidth]


class LoweredNumaTuneCell(TypedDict, total=False):
    """Where one cell's memory comes from."""

    cell: Required[int]
    mode: Required[str]
    nodes: Required[str]


class LoweredNumaTune(TypedDict, total=False):
    """Which of the host's NUMA nodes the machine's memory comes from."""

    mode: str
    nodes: str
    placement: str
    cells: Sequence[LoweredNumaTuneCell]


class LoweredController(TypedDict, total=False):
    """A controller."""

    type: Required[str]
    index: Required[int]
    model: str
    driver: ControllerDriver
    ports: int
    vectors: int
    master: int
    implementation: str
    target: ControllerTarget
    pcihole64: int
    address: str
    alias: str


class LoweredDiskNetwork(TypedDict, total=False):
    """Storage that QEMU itself reaches over the network."""

    protocol: Required[str]
    name: str
    hosts: Sequence[str]
    socket: str
    snapshot: str
    config: str
    tls: bool
    tlsHostname: str
    initiator: str
    user: str
    group: str


class LoweredDiskEncryption(TypedDict, total=False):
    """How the data is encrypted; the passphrase is a secret of libvirt's."""

    format: Required[str]
    engine: str
    secret: Required[DiskEncryptionSecret]


class LoweredIoLimits(TypedDict, total=False):
    """How fast the guest may read and write a disk."""

    bytesPerSecond: int
    readBytesPerSecond: int
    writeBytesPerSecond: int
    iops: int
    readIops: int
    writeIops: int


class LoweredDiskIoBurst(TypedDict, total=False):
    """How much faster than `ioLimits` a guest may be for a short time."""

    bytesPerSecond: int
    readBytesPerSecond: int
    writeBytesPerSecond: int
    iops: int
    readIops: int
    writeIops: int
    seconds: DiskIoBurstSeconds


class LoweredDiskDriver(TypedDict, total=False):
    """How QEMU opens the disk and hands it on."""

    cache: str
    io: str
    errorPolicy: str
    readErrorPolicy: str
    copyOnRead: bool
    discard: str
    detectZeroes: str
    ioThread: int
    queues: int
    queueSize: int
    ioeventfd: bool
    eventIdx: bool
    metadataCache: int
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


class LoweredSourceNetwork(TypedDict, total=False):
    """Storage that QEMU reaches by a protocol of its own."""

    protocol: Required[str]
    name: Required[str]
    hosts: Required[Sequence[str]]


class LoweredSourceNvme(TypedDict, total=False):
    """A namespace of an NVMe controller."""

    device: Required[str]
    namespace: Required[int]


class LoweredSource(TypedDict, total=False):
    """A file, a block device, a volume of a pool, or a URL; empty without a medium."""

    file: str
    dev: str
    pool: str
    volume: str
    url: str
    network: LoweredSourceNetwork
    nvme: LoweredSourceNvme
    vhostUser: str
    path: str
    format: str
    above: Sequence[str]
    backing: Sequence[str]


class LoweredDisk(TypedDict, total=False):
    """A disk: a new volume (`size`), an existing one (`volume`), or what else of the host or the network it
    is.
    """

    name: str
    format: str
    network: LoweredDiskNetwork
    nvme: DiskNvme
    auth: DiskAuth
    encryption: LoweredDiskEncryption
    reservations: bool
    device: str
    bus: str
    bootOrder: int
    target: str
    ioLimits: LoweredIoLimits
    readOnly: bool
    ioBurst: LoweredDiskIoBurst
    ioSize: int
    ioGroup: str
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
    address: str
    alias: str
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
    address: str
    source: Required[LoweredSource]


class LoweredFloppyDriver(TypedDict, total=False):
    """How QEMU opens the medium."""

    cache: str
    io: str
    errorPolicy: str
    readErrorPolicy: str


class LoweredFloppy(TypedDict, total=False):
    """A floppy drive; empty without a medium."""

    target: Required[str]
    readOnly: bool
    bootOrder: int
    driver: LoweredFloppyDriver
    startupPolicy: str
    address: str
    source: Required[LoweredSource]


class LoweredInterfaceDirect(TypedDict, total=False):
    """A NIC of the host, through a macvtap of its own."""

    dev: Required[str]
    mode: str


class LoweredInterfaceUserPortForward(TypedDict, total=False):
    """Some ports of one protocol."""

    proto: Required[str]
    address: str
    dev: str
    ranges: Sequence[InterfaceUserPortForwardRange]


class LoweredInterfaceUser(TypedDict, total=False):
    """Through a program of the host's, without any right there: the guest gets out, and nobody gets in by
    itself.
    """

    passt: bool
    logFile: str
    dev: str
    ips: Sequence[InterfaceUserIp]
    portForward: Sequence[LoweredInterfaceUserPortForward]


class LoweredInterfaceVhostUser(TypedDict, total=False):
    """A switch in a program of the host's, such as DPDK's, by a socket."""

    path: Required[str]
    mode: Required[str]
    reconnect: InterfaceVhostUserReconnect


class LoweredInterfaceEthernetRoute(TypedDict, total=False):
    """One route."""

    address: Required[str]
    family: str
    prefix: int
    gateway: Required[str]
    metric: int


class LoweredInterfaceEthernet(TypedDict, total=False):
    """A tap of its own that is in no bridge: who has plans for it does the rest."""

    managed: bool
    ips: Sequence[InterfaceEthernetIp]
    routes: Sequence[LoweredInterfaceEthernetRoute]


class LoweredInterfaceBandwidthInbound(TypedDict, total=False):
    """Of what comes to it."""

    average: int
    peak: int
    burst: int
    floor: int


class LoweredInterfaceBandwidthOutbound(TypedDict, total=False):
    """Of what it sends."""

    average: int
    peak: int
    burst: int


class LoweredInterfaceBandwidth(TypedDict, total=False):
    """How much may pass it."""

    inbound: LoweredInterfaceBandwidthInbound
    outbound: LoweredInterfaceBandwidthOutbound


class LoweredInterfaceVlanTag(TypedDict, total=False):
    """One tag."""

    id: Required[int]
    nativeMode: str


class LoweredInterfaceVlan(TypedDict, total=False):
    """The VLANs that it carries, where its switch knows any."""

    trunk: bool
    tags: Sequence[LoweredInterfaceVlanTag]


class LoweredInterfaceVirtualport(TypedDict, total=False):
    """How it joins a switch that wants to know who joins."""

    type: str
    managerId: int
    typeId: int
    typeIdVersion: int
    instanceId: str
    profileId: str
    interfaceId: str


class LoweredInterfaceDriver(TypedDict, total=False):
    """How a card of the model virtio does its work."""

    name: str
    queues: int
    rxQueueSize: int
    txQueueSize: int
    txMode: str
    ioeventfd: bool
    eventIdx: bool
    rss: bool
    rssHashReport: bool
    iommu: bool
    ats: bool
    packed: bool
    pagePerVq: bool
    host: InterfaceDriverHost
    guest: InterfaceDriverGuest


class LoweredInterfaceTeaming(TypedDict, total=False):
    """Two interfaces that are one to the guest, so that the machine can move without its card of the host's."""

    type: Required[str]
    persistent: str


class LoweredInterface(TypedDict, total=False):
    """A network interface, and what it is plugged into."""

    name: str
    network: str
    bridge: str
    direct: LoweredInterfaceDirect
    user: LoweredInterfaceUser
    vhostUser: LoweredInterfaceVhostUser
    hostdev: InterfaceHostdev
    vdpa: InterfaceVdpa
    ethernet: LoweredInterfaceEthernet
    udp: InterfaceUdp
    mcast: InterfaceMcast
    server: InterfaceServer
    client: InterfaceClient
    portgroup: str
    model: str
    mac: str
    bootOrder: int
    link: str
    mtu: int
    port: InterfacePort
    bandwidth: LoweredInterfaceBandwidth
    filter: InterfaceFilter
    vlan: LoweredInterfaceVlan
    virtualport: LoweredInterfaceVirtualport
    trustGuestRxFilters: bool
    coalesce: InterfaceCoalesce
    targetDev: str
    driver: LoweredInterfaceDriver
    backend: InterfaceBackend
    rom: InterfaceRom
    tune: InterfaceTune
    teaming: LoweredInterfaceTeaming
    acpiIndex: int
    address: str
    alias: str
    derivedMac: str


class LoweredGraphicsChannel(TypedDict, total=False):
    """One channel."""

    name: Required[str]
    mode: Required[str]


class LoweredGraphics(TypedDict, total=False):
    """The graphical console."""

    type: str
    listen: str
    passwordFrom: str
    passwordValidTo: str
    port: int
    tlsPort: int
    websocket: int
    socket: str
    keymap: str
    sharePolicy: str
    powerControl: bool
    defaultMode: str
    channels: Sequence[LoweredGraphicsChannel]
    imageCompression: str
    jpegCompression: str
    zlibCompression: str
    playbackCompression: bool
    streaming: str
    clipboard: bool
    fileTransfer: bool
    mouse: str
    gl: GraphicsGl
    audio: int


class LoweredMoreGraphicChannel(TypedDict, total=False):
    """One channel."""

    name: Required[str]
    mode: Required[str]


class LoweredMoreGraphic(TypedDict, total=False):
    """One console."""

    type: Required[str]
    listen: str
    port: int
    tlsPort: int
    websocket: int
    socket: str
    keymap: str
    sharePolicy: str
    powerControl: bool
    defaultMode: str
    channels: Sequence[LoweredMoreGraphicChannel]
    imageCompression: str
    jpegCompression: str
    zlibCompression: str
    playbackCompression: bool
    streaming: str
    clipboard: bool
    fileTransfer: bool
    mouse: str
    gl: MoreGraphicGl
    audio: int
    display: str
    fullScreen: bool
    busAddress: str
    peerToPeer: bool


class LoweredChannel(TypedDict, total=False):
    """One channel."""

    name: Required[str]
    type: Required[str]
    path: str
    mode: str
    connect: str
    listen: str
    tls: bool
    protocol: str
    reconnect: int
    append: bool
    channel: str
    log: ChannelLog
    clipboard: bool
    mouse: str
    address: str
    alias: str


class LoweredSerial(TypedDict, total=False):
    """One serial line."""

    type: Required[str]
    path: str
    mode: str
    connect: str
    listen: str
    tls: bool
    protocol: str
    reconnect: int
    append: bool
    channel: str
    log: SerialLog
    target: str
    model: str
    port: int
    address: str
    alias: str


class LoweredConsole(TypedDict, total=False):
    """One console."""

    target: Required[str]
    type: Required[str]
    path: str
    mode: str
    connect: str
    listen: str
    tls: bool
    protocol: str
    reconnect: int
    append: bool
    channel: str
    log: ConsoleLog
    address: str
    alias: str


class LoweredParallel(TypedDict, total=False):
    """One parallel port."""

    type: Required[str]
    path: str
    mode: str
    connect: str
    listen: str
    tls: bool
    protocol: str
    reconnect: int
    append: bool
    log: ParallelLog
    port: int
    address: str
    alias: str


class LoweredVideo(TypedDict, total=False):
    """One video card."""

    model: Required[str]
    heads: int
    vram: int
    ram: int
    vgamem: int
    vram64: int
    accel3d: bool
    renderNode: str
    resolution: VideoResolution
    backend: str
    driver: VideoDriver
    address: str
    alias: str


class LoweredSound(TypedDict, total=False):
    """One sound card."""

    model: Required[str]
    codecs: Sequence[str]
    audio: int
    address: str
    alias: str


class LoweredAudioInput(TypedDict, total=False):
    """What is recorded."""

    mixingEngine: bool
    fixedSettings: bool
    voices: int
    bufferLength: int
    frequency: int
    channels: int
    format: str
    device: str
    name: str
    streamName: str
    latency: int


class LoweredAudioOutput(TypedDict, total=False):
    """What is played."""

    mixingEngine: bool
    fixedSettings: bool
    voices: int
    bufferLength: int
    frequency: int
    channels: int
    format: str
    device: str
    name: str
    streamName: str
    latency: int


class LoweredAudio(TypedDict, total=False):
    """One backend."""

    id: Required[int]
    type: Required[str]
    timerPeriod: int
    serverName: str
    path: str
    input: LoweredAudioInput
    output: LoweredAudioOutput


class LoweredInput(TypedDict, total=False):
    """One of them."""

    type: Required[str]
    bus: str
    model: str
    evdev: str
    device: str
    grab: bool
    grabToggle: str
    repeat: bool
    driver: InputDriver
    address: str
    alias: str


class LoweredRngEgd(TypedDict, total=False):
    """Of egd: where the daemon is."""

    type: Required[str]
    path: str
    mode: str
    connect: str
    listen: str


class LoweredRng(TypedDict, total=False):
    """One source."""

    model: Required[str]
    backend: Required[str]
    device: str
    egd: LoweredRngEgd
    rate: RngRate
    driver: RngDriver
    address: str
    alias: str


class LoweredBalloon(TypedDict, total=False):
    """The device through which a guest gives memory back, and tells how much of it is free."""

    model: str
    autodeflate: bool
    freePageReporting: bool
    statsPeriod: int
    driver: BalloonDriver
    address: str
    alias: str


class LoweredVsock(TypedDict, total=False):
    """A socket family of its own between guest and host, without a network."""

    model: str
    cid: VsockCid
    driver: VsockDriver
    address: str
    alias: str


class LoweredShmem(TypedDict, total=False):
    """One piece of it."""

    name: Required[str]
    role: str
    model: Required[str]
    size: int
    server: str
    msi: ShmemMsi
    address: str
    alias: str


class LoweredPanic(TypedDict, total=False):
    """One of them."""

    model: Required[str]
    address: str
    alias: str


class LoweredWatchdog(TypedDict, total=False):
    """A device that does something about a guest from which it hasn't heard for a while: one that hangs."""

    model: Required[str]
    action: str
    address: str
    alias: str


class LoweredTpm(TypedDict, total=False):
    """A Trusted Platform Module, which keeps keys and measurements; Windows 11 wants one of version 2.0."""

    model: str
    backend: Required[str]
    version: str
    persistentState: bool
    encryption: str
    activePcrBanks: TpmActivePcrBanks
    device: str
    socket: str
    address: str
    alias: str


class LoweredIommu(TypedDict, total=False):
    """A virtual IOMMU, which guests need to pass devices on, or for more than 255 CPUs."""

    model: Required[str]
    interruptRemapping: bool
    cachingMode: bool
    eim: bool
    iotlb: bool
    addressWidth: int
    address: str
    alias: str


class LoweredFilesystem(TypedDict, total=False):
    """One folder."""

    target: Required[str]
    source: str
    socket: str
    type: str
    accessMode: str
    readOnly: bool
    multidevs: str
    fileMode: str
    folderMode: str
    binary: str
    xattr: bool
    cache: str
    sandbox: str
    posixLock: bool
    flock: bool
    threadPool: int
    model: str
    bootOrder: int
    driver: FilesystemDriver
    address: str
    alias: str


class LoweredRedirdev(TypedDict, total=False):
    """One place."""

    type: Required[str]
    path: str
    mode: str
    connect: str
    listen: str
    bootOrder: int
    address: str
    alias: str


class LoweredSmartcard(TypedDict, total=False):
    """One reader."""

    type: Required[str]
    certificates: Sequence[str]
    path: str
    mode: str
    connect: str
    listen: str
    address: str


class LoweredHostDevice(TypedDict, total=False):
    """One device of the host."""

    device: str
    pci: str
    usb: str
    scsi: str
    mdev: str
    vhost: str
    model: str
    managed: bool
    display: bool
    ramfb: bool
    driver: str
    startupPolicy: str
    guestReset: str
    rawIo: bool
    unfiltered: bool
    readOnly: bool
    shareable: bool
    rom: HostDeviceRom
    bootOrder: int
    acpiIndex: int
    address: str
    alias: str
    type: Required[str]
    numbers: Required[Mapping[str, int | None]]
    known: str


class LoweredLoader(TypedDict, total=False):
    """The firmware's own file, where the host isn't to choose one."""

    path: str
    type: str
    readonly: bool
    secure: bool
    stateless: bool


class LoweredFeaturesHyperv(TypedDict, total=False):
    """What Windows guests are told of the hypervisor, in the words of Hyper-V, so that they run faster."""

    mode: str
    relaxed: bool
    vapic: bool
    spinlocks: int
    vpindex: bool
    runtime: bool
    synic: bool
    stimer: bool
    stimerDirect: bool
    reset: bool
    vendorId: str
    frequencies: bool
    reenlightenment: bool
    tlbflush: bool
    ipi: bool
    evmcs: bool
    avic: bool


class LoweredFeatures(TypedDict, total=False):
    """Features of the machine itself."""

    acpi: bool
    apic: bool
    apicEoi: bool
    pae: bool
    hap: bool
    hyperv: LoweredFeaturesHyperv
    kvm: FeaturesKvm
    pvspinlock: bool
    pmu: bool
    vmport: bool
    smm: bool
    smmTseg: int
    ioapic: str
    gic: str
    vmcoreinfo: bool
    msrs: str
    hptResizing: str
    hptMaxPageSize: int
    htm: bool
    nestedHv: bool
    ccfAssist: bool
    cfpc: str
    sbbc: str
    ibs: str
    tcgTbCache: int


class LoweredClockTimer(TypedDict, total=False):
    """One timer."""

    name: Required[str]
    present: bool
    tickpolicy: str
    track: str
    frequency: int
    mode: str
    catchup: ClockTimerCatchup


class LoweredClock(TypedDict, total=False):
    """The clock that the guest finds at its start."""

    offset: str
    timezone: str
    adjustment: int
    basis: str
    start: int
    timers: Sequence[LoweredClockTimer]


class LoweredSmbios(TypedDict, total=False):
    """What the machine tells the guest of itself, as dmidecode shows it."""

    mode: str
    bios: SmbiosBios
    system: SmbiosSystem
    baseBoards: Sequence[SmbiosBaseBoard]
    chassis: SmbiosChassis
    oemStrings: Sequence[str]


class LoweredLaunchSecurity(TypedDict, total=False):
    """Memory that the host can't read, where its processor can do that."""

    type: Required[str]
    policy: int
    cbitpos: int
    reducedPhysBits: int
    dhCert: str
    session: str
    kernelHashes: bool


class LoweredSecurityLabel(TypedDict, total=False):
    """The label of one model."""

    model: str
    type: Required[str]
    relabel: bool
    label: str
    baselabel: str


class LoweredVirtualMachine(TypedDict, total=False):
    """The machine."""

    title: str
    description: str
    cpus: int
    maximumCpus: int
    cpuTopology: CpuTopology
    cpuMode: str
    cpu: LoweredCpu
    cpuTune: LoweredCpuTune
    ioThreads: int
    ioThreadPools: Sequence[IoThreadPool]
    memory: int
    maximumMemory: int
    memoryBacking: LoweredMemoryBacking
    memoryTune: LoweredMemoryTune
    memoryRoom: LoweredMemoryRoom
    memoryModules: Sequence[LoweredMemoryModule]
    numa: LoweredNuma
    numaTune: LoweredNumaTune
    controllers: Sequence[LoweredController]
    disks: Sequence[LoweredDisk]
    cdroms: Sequence[LoweredCdrom]
    floppies: Sequence[LoweredFloppy]
    interfaces: Sequence[LoweredInterface]
    graphics: LoweredGraphics
    serialConsole: bool
    moreGraphics: Sequence[LoweredMoreGraphic]
    channels: Sequence[LoweredChannel]
    serials: Sequence[LoweredSerial]
    consoles: Sequence[LoweredConsole]
    parallels: Sequence[LoweredParallel]
    videos: Sequence[LoweredVideo]
    sounds: Sequence[LoweredSound]
    audios: Sequence[LoweredAudio]
    inputs: Sequence[LoweredInput]
    rngs: Sequence[LoweredRng]
    balloon: LoweredBalloon
    vsock: LoweredVsock
    shmems: Sequence[LoweredShmem]
    panics: Sequence[LoweredPanic]
    watchdog: LoweredWatchdog
    tpm: LoweredTpm
    iommu: LoweredIommu
    hubs: Sequence[Hub]
    nvramDevice: NvramDevice
    filesystems: Sequence[LoweredFilesystem]
    redirdevs: Sequence[LoweredRedirdev]
    redirFilter: Sequence[RedirFilter]
    smartcards: Sequence[LoweredSmartcard]
    hostDevices: Sequence[LoweredHostDevice]
    defaults: str
    guestOs: str
    domainType: str
    arch: str
    machine: str
    emulator: str
    firmware: str
    secureBoot: bool
    firmwareFeatures: FirmwareFeatures
    loader: LoweredLoader
    nvram: Nvram
    bootDevices: Sequence[str]
    bootMenu: bool
    bootMenuTimeout: int
    bios: Bios
    kernelBoot: KernelBoot
    slicTable: str
    features: LoweredFeatures
    clock: LoweredClock
    onPoweroff: str
    onReboot: str
    onCrash: str
    onLockFailure: str
    pm: Pm
    genid: str
    smbios: LoweredSmbios
    fwCfg: Sequence[FwCfg]
    launchSecurity: LoweredLaunchSecurity
    securityLabels: Sequence[LoweredSecurityLabel]
    resourcePartition: str
    perfEvents: Sequence[str]
    xml: str
    cells: int
    modules: int
