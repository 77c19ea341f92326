"""A Template's spec as types. Written by `make docs` from `fields.py`: what is changed here is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Required, TypedDict


class Disk(TypedDict, total=False):
    """A disk of each machine made from the template: a new volume (`size`), or an existing one (`volume`)."""

    index: int
    size: int | str
    base: str
    volume: str
    format: Literal["qcow2", "raw", "bochs", "cloop", "cow", "dmg", "qcow", "qed", "vmdk", "vpc"]
    pool: str


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


class CpuTopology(TypedDict, total=False):
    """How the virtual CPUs are arranged: sockets × dies × cores × threads has to equal `cpus`, or
    `maximumCpus` where that is written.
    """

    sockets: Required[int]
    dies: int
    cores: Required[int]
    threads: Required[int]


class TemplateSpec(TypedDict, total=False):
    """The fields that machines have in common."""

    template: str
    osDistro: str
    osVersion: str
    cpus: int
    maximumCpus: int
    memory: int | str
    maximumMemory: int | str
    cdrom: str
    storagePool: str
    networks: Sequence[str]
    disks: Sequence[Disk]
    graphics: Graphics
    bootDevices: Sequence[Literal["hd", "cdrom", "network", "fd"]]
    defaults: Literal["onggi", "libvirt"]
    guestOs: Literal["linux", "windows", "windows11", "other"]
    cpuTopology: CpuTopology
    folder: Sequence[str]
    icon: str
