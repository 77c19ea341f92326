"""What rendering has to know of a host, as plain data: handed in by whoever observed it, never asked for from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from specs.reach import Reach
from specs.reference import Ref


class Feature(StrEnum):
    """What a connection can do beyond defining and starting. Asked once; a missing one becomes a sentence."""

    DEVICE_HOTPLUG = "device-hotplug"
    VOLUME_UPLOAD = "volume-upload"
    VOLUME_RESIZE = "volume-resize"
    NODE_DEVICES = "node-devices"
    HOST_INTERFACES = "host-interfaces"
    GUEST_STATISTICS = "guest-statistics"


@dataclass(frozen=True, slots=True)
class VolumeSource:
    """Where a volume is: `path`, libvirt's volume `type` (file | block | network | dir) and image `format`."""

    path: str
    type: str = "file"
    format: str = "raw"


@dataclass(frozen=True, slots=True)
class NodeDevice:
    """A host device by its libvirt name.

    `address` holds its numbers: domain/bus/slot/function, bus/device or host/bus/target/lun.
    """

    name: str
    kind: str  # pci | usb | scsi
    address: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Host:
    """The facts of one host: what it can run, what it can do, and where its volumes and devices are."""

    arch: str = "x86_64"
    domain_types: tuple[str, ...] = ("qemu",)  # libvirt's words, best first: kvm, qemu, test
    machines: tuple[str, ...] = ()  # machine types and their aliases; empty: unknown
    emulators: Mapping[str, str] = field(default_factory=dict)  # paths by architecture; empty: unknown
    starts_with: frozenset[str] | None = None  # uefi, secure-boot, sev, s390-pv: what machines can have; None: unknown
    features: frozenset[Feature] = frozenset()
    volumes: Mapping[Ref, VolumeSource] = field(default_factory=dict)
    pool_paths: Mapping[str, str] = field(default_factory=dict)  # target path of each file-backed pool by name
    node_devices: Mapping[str, NodeDevice] = field(default_factory=dict)
    interfaces: frozenset[str] | None = None  # the host's network interfaces, but for guests' own; None: unknown
    used_subnets: tuple[str, ...] = ()  # CIDR, of libvirt's networks and of the host's own interfaces
    allowed_folders: tuple[str, ...] = ()  # where a CD-ROM's path may lie
    reach: Reach | None = None  # what of the host documents may name; None: nobody has set bounds
    overlays: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # paths of snapshots' files, by what is below

    def can(self, feature: Feature) -> bool:
        """True when the connection has `feature`."""
        return feature in self.features

    def volume_source(self, ref: Ref) -> VolumeSource | None:
        """A volume's place: as observed, else as it will be in a file-backed pool, else None (a LUN not seen yet)."""
        if (source := self.volumes.get(ref)) is not None:
            return source
        folder = self.pool_paths.get(ref.pool)
        return VolumeSource(f"{folder.rstrip('/')}/{ref.short_name}") if folder else None

    def above(self, path: str) -> tuple[str, ...]:
        """The snapshots' files that lie above an image, however many there are."""
        found: dict[str, None] = {}
        left = [path]
        while left:
            for each in self.overlays.get(left.pop(), ()):
                if each not in found:
                    found[each] = None
                    left.append(each)
        return tuple(found)
