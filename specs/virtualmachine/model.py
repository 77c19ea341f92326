"""The shape of a VirtualMachine's spec, and its rules beyond the schema."""

from __future__ import annotations

from typing import Literal, TypedDict

from specs.policy import PolicyFields, SecretFrom


class CpuTopology(TypedDict):
    """sockets × cores × threads = cpus."""

    sockets: int
    cores: int
    threads: int


class Disk(TypedDict, total=False):
    """A new volume (`size`, and `format`, `pool`, `base`) or an existing one (`volume`). `name` tells disks apart."""

    name: str  # default: disk0 (required as soon as a VM has two new volumes)
    size: str | int  # `10GiB`, or bytes
    format: Literal["qcow2", "raw"]  # default qcow2 in file pools, raw elsewhere
    pool: str  # default: default
    base: str  # backing image: `volume` in the same pool, or `pool/volume`
    volume: str  # an existing or declared volume: `volume` in `pool`, or `pool/volume`
    bus: Literal["virtio", "scsi", "sata", "ide", "usb"]
    bootOrder: int  # from 1
    target: str  # device name in the guest (vda); chosen once when unset
    readOnly: bool


class Cdrom(TypedDict, total=False):
    """A drive with at most one of volume, path, url; with none it is empty."""

    name: str  # default: cdrom0, cdrom1, … by position
    volume: str  # `volume` in pool default, or `pool/volume`
    path: str  # absolute, in an allowed folder
    url: str  # http, https, ftp, ftps
    bus: Literal["sata", "scsi", "ide", "usb"]
    bootOrder: int
    target: str


class Interface(TypedDict, total=False):
    """A NIC on a libvirt network or on a host bridge."""

    name: str  # default: the network's or bridge's name
    network: str
    bridge: str
    model: str  # virtio, e1000, rtl8139, ...
    mac: str  # derived from the VM's uid and the NIC's name when unset, so that it never changes
    bootOrder: int
    link: Literal["up", "down"]


class Graphics(TypedDict, total=False):
    """The console; absent: unmanaged (a new VM gets VNC on loopback)."""

    type: Literal["vnc", "spice", "none"]
    listen: str
    passwordFrom: SecretFrom


class HostDevice(TypedDict):
    """A host device by its libvirt node-device name: pci_0000_00_19_0, usb_1_2, scsi_0_0_0_0."""

    device: str


class Access(TypedDict, total=False):
    """Who may use the VM through the API."""

    users: list[str]
    groups: list[str]


class CloudInit(TypedDict, total=False):
    """The NoCloud seed. A change makes a new seed and swaps the medium in place."""

    userData: str
    metaData: str
    networkConfig: str
    pool: str  # where the seed volume lives; default: default
    instanceIdPolicy: Literal["OnChange", "Never"]  # a new instance-id with each change makes cloud-init run again


class VirtualMachineSpec(PolicyFields, total=False):
    """Everything a VirtualMachine document may say. Each omitted field is unmanaged once the VM exists."""

    title: str
    description: str
    osDistro: str
    osVersion: str
    icon: str
    template: str
    cpus: int
    cpuTopology: CpuTopology
    cpuMode: Literal["host-model", "host-passthrough", "maximum", "default"]
    memory: int | str  # MiB, or `2GiB`
    disks: list[Disk]
    cdroms: list[Cdrom]
    interfaces: list[Interface]
    graphics: Graphics
    hostDevices: list[HostDevice]
    access: Access
    runStrategy: Literal["Always", "RerunOnFailure", "Manual", "Halted"]  # default RerunOnFailure
    paused: bool
    autostart: bool
    firmware: Literal["bios", "uefi"]
    machine: str  # q35, pc, or a versioned type
    domainType: Literal["kvm", "emulated"]
    serialConsole: bool
    cloudInit: CloudInit
    shutdownTimeout: int  # seconds that a graceful stop may take; default 60
    forceStop: bool  # cut the power when the time is up; default false
