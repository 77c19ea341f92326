"""A storage pool in Kimchi's words, and the reserved one that gathers all ISO images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from api.http.schema import Schema, boolean, integer, obj, text
from reconciler.loop.passes import World
from reconciler.observed.snapshot import Observed, Snapshot
from specs.binding import parse
from specs.plain import NewJson
from specs.reference import STORAGE_VOLUME, TEMPLATE, Ref
from specs.storagepool import KIND as POOLS
from specs.template import KIND as TEMPLATES

if TYPE_CHECKING:
    from specs.storagepool.spec import LoweredStoragePool

ISO_POOL: Final = "kimchi_isos"  # reserved: the ISO images of all active pools
ISO_TYPE: Final = "kimchi-iso"

_FIELDS: Final[dict[str, Schema]] = {
    "name": text("Identifies the pool in this API."),
    "state": text("active or inactive.", enum=["active", "inactive"]),
    "type": text("dir, kimchi-iso, netfs, logical, iscsi or scsi; or libvirt's word for another type."),
    "capacity": integer("All of its space, in bytes.", minimum=0),
    "allocated": integer("What volumes take of it, in bytes.", minimum=0),
    "available": integer("What is free for new volumes, in bytes.", minimum=0),
    "path": text("Where its volumes appear on the host."),
    "source": obj(
        {
            "addr": text("The server (netfs, iscsi)."),
            "path": text("The exported folder (netfs) or the target (iscsi)."),
            "port": text("The server's port, empty for the usual one (iscsi)."),
            "adapter_type": text("scsi_host or fc_host (scsi)."),
            "adapter_name": text("The adapter's name (scsi)."),
            "wwnn": text("World wide node name (scsi)."),
            "wwpn": text("World wide port name (scsi)."),
        },
        description="Where its storage comes from; empty for a folder or a volume group.",
    ),
    "nr_volumes": integer("How many volumes an active pool has; 0 for an inactive one.", minimum=0),
    "autostart": boolean("Whether it is activated when the host boots."),
    "persistent": boolean("Whether it is still there after it was deactivated."),
    "task_id": text("The task that looks through the folders of a kimchi-iso pool."),
}
POOL: Final[Schema] = obj(_FIELDS, required=("name", "state", "type"), title="StoragePool")


def pool_view(world: World, observed: Observed, task_id: str = "") -> NewJson:
    """One pool. `task_id` is that of its deep scan."""
    spec = POOLS.lowered(observed.live or observed.config)
    space = space_of(observed)
    view = {
        "name": observed.ref.name,
        "state": "active" if observed.active else "inactive",
        "type": pool_type(world, observed),
        "capacity": space[0],
        "allocated": space[1],
        "available": space[2],
        "path": str(spec.get("path") or ""),
        "source": _source(spec),
        "nr_volumes": volumes_in_pools(world.snapshot).get(observed.ref.name, 0) if observed.active else 0,
        "autostart": observed.autostart,
        "persistent": observed.persistent,
    }
    return view | ({"task_id": task_id} if task_id else {})


def iso_pool_view() -> NewJson:
    """The reserved pool."""
    return {"name": ISO_POOL, "state": "active", "type": ISO_TYPE}


def pool_type(world: World, observed: Observed) -> str:
    """Its type as it was declared: libvirt has no word for a folder that is searched for ISO images."""
    declared = world.desired.resources.get(observed.ref)
    if declared is not None and POOLS.declared(declared.spec).get("type") == ISO_TYPE:
        return ISO_TYPE
    return str(POOLS.lowered(observed.config).get("type") or "")


@lru_cache(maxsize=2)
def volumes_in_pools(snapshot: Snapshot) -> Mapping[str, int]:
    """How many volumes each pool has. Folders in it are none."""
    return Counter(
        ref.pool
        for ref, seen in snapshot.objects.items()
        if ref.kind == STORAGE_VOLUME and seen.details.get("type") not in ("dir", "netdir")
    )


def templates_on(world: World, pool: str) -> list[str]:
    """The templates whose machines get their disks from this pool."""
    found = []
    for ref, resource in world.desired.resources.items():
        if ref.kind != TEMPLATE:
            continue
        template = TEMPLATES.declared(resource.spec)
        disks = template.get("disks", ())
        volumes = (name for disk in disks for name in (disk.get("volume"), disk.get("base")) if name)
        pools = {disk.get("pool") for disk in disks} | {_pool_of(name, "") for name in volumes}
        if template.get("storagePool", "default") == pool or pool in pools:
            found.append(ref.name)
    return sorted(found)


def _pool_of(volume: str, otherwise: str) -> str:
    return Ref.volume_named(volume, otherwise).pool


def space_of(observed: Observed) -> tuple[int, int, int]:
    """A pool's capacity, and what of it is taken and free, in bytes."""
    return _space(observed.live_xml or observed.xml)


@lru_cache(maxsize=512)
def _space(xml: str) -> tuple[int, int, int]:
    root = parse(xml)
    capacity, allocated, available = (int(root.findtext(key) or 0) for key in ("capacity", "allocation", "available"))
    return capacity, allocated, available


def _source(spec: LoweredStoragePool) -> dict[str, str]:
    source = spec.get("source", {})
    match spec.get("type"):
        case "netfs":
            return {"addr": source.get("host", ""), "path": source.get("path", "")}
        case "iscsi" | "iscsi-direct":
            port = source.get("port")
            known = {"addr": source.get("host", ""), "port": "" if port is None else str(port)}
            return {**known, "path": source.get("target", "")}
        case "scsi":
            adapter = source.get("adapter", {})
            kind = {"adapter_type": adapter.get("type", ""), "adapter_name": adapter.get("name", "")}
            return {**kind, "wwnn": adapter.get("wwnn", ""), "wwpn": adapter.get("wwpn", "")}
    return {}
