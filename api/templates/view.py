"""A template in Kimchi's words: what its document says, with the defaults that stand for the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from api.http.schema import Schema, arr, boolean, integer, obj, or_null, text
from api.images.view import icon_of
from api.vms.drafting import template_spec
from api.vms.fitting import is_pool_of, unfit_disks
from api.vms.processors import TOPOLOGY, cpus_of
from reconciler.desired.template.meaning import machine_fields
from reconciler.desired.virtualmachine.implied import DEFAULT_POOL
from reconciler.loop.passes import World
from specs.codecs import bytes_of
from specs.plain import NewJson
from specs.reference import NETWORK, STORAGE_POOL, STORAGE_VOLUME, Ref

if TYPE_CHECKING:
    from specs.template.spec import Disk, TemplateSpec

UNKNOWN: Final = "unknown"
POOL_URI: Final = "/storagepools/"
NETBOOT: Final = ("network", "hd")  # what a machine that is installed over the network boots from
GRAPHICS: Final = {"type": "vnc", "listen": "127.0.0.1"}  # what a template's console is unless it says otherwise
FORMATS: Final = ("bochs", "cloop", "cow", "dmg", "qcow", "qcow2", "qed", "raw", "vmdk", "vpc")

MEMORY_MIB: Final = 1024  # of a template that says nothing
_GIB: Final = 1 << 30
_MIB: Final = 1 << 20

_COUNT: Final = {"minimum": 1}
_FIELDS: Final = {
    "name": text("Identifies the template in this API.", examples=["debian"]),
    "icon": text("A picture for clients."),
    "folder": arr(text(), description="Where clients show it, as folder names from the top."),
    "os_distro": text("The distribution; unknown when nobody said and the image doesn't tell.", examples=["debian"]),
    "os_version": text("Its version, or unknown.", examples=["12"]),
    "cpus": integer("The number of CPUs.", **_COUNT),
    "memory": integer("Memory in MiB.", minimum=1),
    "max_memory": integer("MiB that a machine could have while it runs.", minimum=1),
    "cdrom": or_null(text("The ISO image: a path on the host or an address.")),
    "storagepool": text("The address of the pool of new disks.", examples=["/storagepools/default"]),
    "networks": arr(text(), description="The networks that a machine gets an interface on."),
    "disks": arr(
        obj(
            {
                "index": integer("The place among the disks.", minimum=0),
                "size": integer("Capacity in GiB.", minimum=0),
                "format": text("Image format.", enum=list(FORMATS)),
                "volume": text("An existing volume that the disk is, by its name in the pool."),
                "base": text("The path of the image that the disk begins with."),
                "pool": obj(
                    {"name": text("Its address.")},
                    required=("name",),
                    description="The pool of this disk, where it isn't the template's `storagepool`.",
                ),
            },
            required=("index",),
        ),
        description="The disks of a machine.",
    ),
    "graphics": obj(
        {
            "type": or_null(text("vnc or spice; null for no console.")) | {"enum": ["vnc", "spice", None]},
            "listen": or_null(text("The address on the host that it listens on.")),
        },
        required=("type", "listen"),
    ),
    "netboot": boolean("Whether a machine boots over the network first."),
    "cpu_info": obj(
        {
            "vcpus": integer("The same as `cpus`, where `maxvcpus` is more.", **_COUNT),
            "maxvcpus": integer("CPUs that a machine could have while it runs.", **_COUNT),
            "topology": obj(TOPOLOGY, required=tuple(TOPOLOGY)),
        }
    ),
    "invalid": obj(
        {
            "networks": arr(text(), description="Networks that aren't there."),
            "storagepools": arr(text(), description="Storage pools that aren't there."),
            "cdrom": arr(text(), description="The image, when it isn't there."),
            "disks": arr(
                text(), description="Volumes that aren't there, and disks that can't be, each with the reason."
            ),
        },
        description="What a machine couldn't be made with at the moment; empty when all is there.",
    ),
}
TEMPLATE: Final[Schema] = obj(_FIELDS, required=tuple(_FIELDS), title="Template")

IsFile = Callable[[str], bool]  # of a path on the host


def template_view(world: World, name: str, is_file: IsFile) -> NewJson | None:
    """One template; None when there is no good one of that name."""
    spec = template_spec(world.desired, name)
    if spec is None:
        return None
    topology = spec.get("cpuTopology")
    pool = spec.get("storagePool", DEFAULT_POOL)
    graphics = GRAPHICS | {key: each for key, each in spec.get("graphics", {}).items() if key in GRAPHICS}
    cdrom = spec.get("cdrom")
    cpus = spec.get("cpus") or (cpus_of(topology) if topology else 1)
    memory = spec.get("memory", MEMORY_MIB)
    return {
        "name": name,
        "icon": icon_of(spec),
        "folder": list(spec.get("folder", ())),
        "os_distro": spec.get("osDistro") or UNKNOWN,
        "os_version": spec.get("osVersion") or UNKNOWN,
        "cpus": cpus,
        "memory": _mebibytes(memory),
        "max_memory": _mebibytes(spec.get("maximumMemory", memory)),
        "cdrom": _medium_text(world, cdrom) if cdrom is not None else None,
        "storagepool": f"{POOL_URI}{pool}",
        "networks": list(spec.get("networks", ())),
        "disks": [_disk(world, disk, place, pool) for place, disk in enumerate(spec.get("disks", ()))],
        "graphics": graphics if graphics["type"] != "none" else {"type": None, "listen": None},
        "netboot": next(iter(spec.get("bootDevices", ())), "") == NETBOOT[0],
        "cpu_info": {
            **({"vcpus": cpus, "maxvcpus": spec["maximumCpus"]} if "maximumCpus" in spec else {}),
            **({"topology": dict(topology)} if topology else {}),
        },
        "invalid": _invalid(world, spec, is_file),
    }


def volume_path(world: World, ref: Ref) -> str:
    """Where a volume is, or will be, on the host; its name with the pool's where nobody knows."""
    seen = world.snapshot.get(ref)
    if seen is not None and seen.details.get("path"):
        return str(seen.details["path"])
    source = world.snapshot.host.volume_source(ref)
    return source.path if source is not None else ref.name


def capacity_gib(world: World, ref: Ref) -> int | None:
    """What a volume holds, in whole GiB that are enough for it; None when it isn't known."""
    seen = world.snapshot.get(ref)
    return -(-int(seen.details.get("capacity") or 0) // _GIB) if seen is not None else None


def _mebibytes(memory: int | str) -> int:
    return -(-(bytes_of(memory, "MiB") or 0) // _MIB)


def _medium_text(world: World, medium: str) -> str:
    if (ref := _medium_volume(medium)) is None:
        return medium
    return volume_path(world, ref)


def _medium_volume(medium: str) -> Ref | None:
    """The volume that a CD-ROM's text means; None for a path or an address."""
    return None if medium.startswith("/") or "://" in medium else Ref.volume_named(medium, DEFAULT_POOL)


def _disk(world: World, disk: Disk, place: int, template_pool: str) -> NewJson:
    pool = disk.get("pool", template_pool)
    shown: NewJson = {"index": disk.get("index", place)}
    if pool != template_pool:
        shown["pool"] = {"name": f"{POOL_URI}{pool}"}
    if "volume" in disk:
        ref = Ref.volume_named(disk["volume"], pool)
        size = capacity_gib(world, ref)
        found = world.snapshot.host.volumes.get(ref)
        shown |= {"volume": ref.short_name if ref.pool == template_pool else ref.name}
        shown |= {"size": size} if size is not None else {}
        return shown | ({"format": found.format} if found is not None and found.format in FORMATS else {})
    shown["size"] = disk["size"] if isinstance(disk["size"], int) else -(-(bytes_of(disk["size"]) or 0) // _GIB)
    shown["format"] = disk.get("format", "raw" if is_pool_of(world, pool) else "qcow2")
    if "base" in disk:
        shown["base"] = volume_path(world, Ref.volume_named(disk["base"], pool))
    return shown


# What is missing


def _invalid(world: World, spec: TemplateSpec, is_file: IsFile) -> dict[str, list[str]]:
    pool = spec.get("storagePool", DEFAULT_POOL)
    disks = spec.get("disks", ())
    pools = [pool] if "storagePool" in spec else []
    pools += [disk.get("pool", pool) for disk in disks if "size" in disk]
    volumes = (Ref.volume_named(name, disk_pool) for name, disk_pool in _volumes(spec, pool))
    missing = [ref.name for ref in dict.fromkeys(volumes) if is_missing(world, ref)]
    unfit = unfit_disks(world, machine_fields(spec).get("disks", ()))
    found = {
        "networks": [each for each in spec.get("networks", ()) if not is_known(world, Ref(NETWORK, each))],
        "storagepools": [each for each in dict.fromkeys(pools) if not is_known(world, Ref(STORAGE_POOL, each))],
        "cdrom": [] if _has_medium(world, spec.get("cdrom"), is_file) else [_medium_text(world, spec["cdrom"])],
        "disks": [*missing, *(f"{each.what}: {each.sentence}" for each in unfit)],
    }
    return {key: names for key, names in found.items() if names}


def is_known(world: World, ref: Ref) -> bool:
    """Whether the host has it, or is to have it."""
    declared = world.desired
    return ref in world.snapshot.objects or ref in declared.resources or ref in declared.held


def is_missing(world: World, ref: Ref) -> bool:
    """Whether a volume is known not to be there: of a pool that isn't active nobody can tell."""
    if is_known(world, ref) or ref in world.snapshot.host.volumes:
        return False
    pool = world.snapshot.get(Ref(STORAGE_POOL, ref.pool))
    return pool.active if pool is not None else not is_known(world, Ref(STORAGE_POOL, ref.pool))


def _volumes(spec: TemplateSpec, template_pool: str) -> Iterator[tuple[str, str]]:
    for disk in spec.get("disks", ()):
        for key in ("volume", "base"):
            if key in disk:
                yield disk[key], disk.get("pool", template_pool)


def _has_medium(world: World, medium: str | None, is_file: IsFile) -> bool:
    if medium is None or "://" in medium:
        return True  # what is at an address now, nobody asks for a list
    if (ref := _medium_volume(medium)) is not None and ref.kind == STORAGE_VOLUME:
        return not is_missing(world, ref)
    return is_file(medium)
