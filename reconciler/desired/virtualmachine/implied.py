"""What a VM's document asks for without a document of its own: its new disks, and the seed that cloud-init reads.

Each becomes a StorageVolume whose parent is the VM, and the VM's spec names it like any other volume. From here on
there is one way to make a volume.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from specs.host_paths import host_paths, refused
from specs.reference import Ref
from specs.system_folders import no_medium
from specs.virtualmachine.fields import SPEC
from specs.virtualmachine.platform.files import refused_files

if TYPE_CHECKING:
    from specs.storagevolume.spec import StorageVolumeSpec
    from specs.virtualmachine.spec import Cdrom, CloudInit, Disk, VirtualMachineSpec

DEFAULT_POOL: Final = "default"
FIRST_DISK: Final = "disk0"
SEED_DRIVE: Final = "seed"  # the CD-ROM drive whose medium is cloud-init's seed
_SUFFIX = {"qcow2": ".qcow2", "raw": ".img"}
# Of a disk what describes its volume; the rest is about the drive, and stays with the VM.
VOLUME_FIELDS: Final = frozenset({"size", "format", "pool", "base", "onLoss", "volume"})


@dataclass(frozen=True, slots=True)
class ImpliedVolume:
    """A volume to be: its StorageVolume spec, and what makes a seed's bytes."""

    ref: Ref
    spec: StorageVolumeSpec
    content: Callable[[], bytes] | None = None


@dataclass(slots=True)
class Completion:
    """A VM's spec with every volume named in full, the volumes that it implies, and (pointer, sentence) of mistakes."""

    spec: VirtualMachineSpec
    volumes: list[ImpliedVolume] = field(default_factory=list)
    mistakes: list[tuple[str, str]] = field(default_factory=list)


def complete(
    name: str, uid: str, spec: VirtualMachineSpec, *, block_pools: frozenset[str], allowed_folders: tuple[str, ...]
) -> Completion:
    """Complete the spec of the VM `name`. In `block_pools` volumes are devices, not files: raw, no suffix."""
    result = Completion(spec.copy())
    if "disks" in spec:
        result.spec["disks"] = [
            _disk(name, place, disk, block_pools, result) for place, disk in enumerate(spec["disks"])
        ]
    if "cdroms" in spec:
        result.spec["cdroms"] = [
            _cdrom(place, cdrom, allowed_folders, result) for place, cdrom in enumerate(spec["cdroms"])
        ]
    if "floppies" in spec:
        result.spec["floppies"] = [
            {**floppy, "volume": Ref.volume_named(floppy["volume"], DEFAULT_POOL).name}
            if "volume" in floppy
            else floppy
            for floppy in spec["floppies"]
        ]
    if "cloudInit" in spec:
        _seed(name, uid, spec["cloudInit"], result)
    result.mistakes.extend(
        (pointer, why) for pointer, path in host_paths(SPEC, spec) if (why := refused(path, allowed_folders))
    )
    result.mistakes.extend(refused_files(spec, allowed_folders))
    return result


def _disk(vm: str, place: int, disk: Disk, block_pools: frozenset[str], result: Completion) -> Disk:
    pool = disk.get("pool", DEFAULT_POOL)
    drive: Disk = _drive(disk)
    if "volume" in disk:
        drive["volume"] = Ref.volume_named(disk["volume"], pool).name
        return drive
    if "size" not in disk:
        return {**drive, "format": disk["format"]} if "format" in disk else drive
    # Only a machine's single new disk may go without a name, and keeps this one wherever it stands among the others.
    drive.setdefault("name", FIRST_DISK)
    is_block = pool in block_pools
    image_format = disk.get("format", "raw" if is_block else "qcow2")
    volume = f"{vm}-{drive['name']}{'' if is_block else _SUFFIX.get(image_format, f'.{image_format}')}"
    volume_spec: StorageVolumeSpec = {"pool": pool, "format": image_format, "capacity": disk["size"]}
    if "onLoss" in disk:
        volume_spec["onLoss"] = disk["onLoss"]
    if "base" in disk:
        volume_spec["backingVolume"] = Ref.volume_named(disk["base"], pool).name
        if image_format == "raw":
            message = (
                "A raw disk can't have a base image; write `format: qcow2` (in a pool of files), or remove `base`."
            )
            result.mistakes.append((f"/disks/{place}/base", message))
    result.volumes.append(ImpliedVolume(Ref.volume(pool, volume), volume_spec))
    drive["volume"] = f"{pool}/{volume}"
    return drive


def _drive(disk: Disk) -> Any:
    """What stays with the machine, in the order in which that says it."""
    return {key: value for key, value in disk.items() if key not in VOLUME_FIELDS}


def _cdrom(place: int, cdrom: Cdrom, allowed_folders: tuple[str, ...], result: Completion) -> Cdrom:
    if "volume" in cdrom:
        return {**cdrom, "volume": Ref.volume_named(cdrom["volume"], DEFAULT_POOL).name}
    path = cdrom.get("path")
    if path is not None and no_medium(path):
        message = f"The path {path!r} belongs to the system, and the guest would read it; move the image elsewhere."
        result.mistakes.append((f"/cdroms/{place}/path", message))
    elif path is not None and not any(_below(path, folder) for folder in allowed_folders):
        where = ", ".join(allowed_folders) or "none is configured"
        result.mistakes.append(
            (
                f"/cdroms/{place}/path",
                f"The path {path!r} isn't in an allowed folder ({where}); move the image there, or allow its folder by "
                "allowed-folder in onggi's settings.",
            )
        )
    return cdrom


def _below(path: str, folder: str) -> bool:
    """True for a path inside a folder, by its text: the schema has refused `..` and doubled slashes have no effect."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    allowed = [part for part in folder.split("/") if part not in ("", ".")]
    return ".." not in parts and len(parts) > len(allowed) and parts[: len(allowed)] == allowed


def _seed(vm: str, uid: str, cloud_init: CloudInit, result: Completion) -> None:
    # They bring the ISO writer and YAML along, which a repository without cloud-init doesn't need.
    from specs.virtualmachine.guest.seed import seed_image, seed_volume_name
    from specs.virtualmachine.interfaces.static_addresses import network_config
    from specs.virtualmachine.lowering import mac_addresses

    pool = cloud_init.get("pool", DEFAULT_POOL)
    interfaces = result.spec.get("interfaces", ())
    if any(interface.get("addresses") for interface in interfaces):
        cloud_init = {**cloud_init, "networkConfig": network_config(interfaces, mac_addresses(interfaces, uid))}
    volume = seed_volume_name(vm, cloud_init, uid)
    image = SeedImage(lambda: seed_image(cloud_init, vm, uid))
    result.volumes.append(ImpliedVolume(Ref.volume(pool, volume), {"pool": pool, "format": "raw"}, image))
    seed: Cdrom = {"name": SEED_DRIVE, "volume": f"{pool}/{volume}"}
    if "bus" in cloud_init:
        seed["bus"] = cloud_init["bus"]
    result.spec["cdroms"] = [*result.spec.get("cdroms", ()), seed]


class SeedImage:
    """A seed's bytes, made at first use and kept small: an ISO image is nearly all zeros."""

    __slots__ = ("_make", "_packed")

    def __init__(self, make: Callable[[], bytes]) -> None:
        self._make = make
        self._packed: bytes | None = None

    def __call__(self) -> bytes:
        """The image."""
        if self._packed is None:
            self._packed = zlib.compress(self._make(), 1)
        return zlib.decompress(self._packed)
