"""A storage volume in Kimchi's words. What is in an ISO image is looked up by the caller, who may wait for a disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from api.http.schema import Schema, arr, boolean, integer, obj, text
from reconciler.loop.passes import World
from reconciler.observed.osinfo.images import IsoFacts
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.storagevolume.uses import users_of
from specs.plain import NewJson
from specs.reference import STORAGE_VOLUME, Ref
from specs.storagevolume import KIND as VOLUMES

FactsOf = Callable[[str], IsoFacts]  # by the path of the image

_FIELDS: Final[dict[str, Schema]] = {
    "name": text("Identifies the volume in its pool."),
    "type": text("file, block or network.", enum=["file", "block", "network"]),
    "capacity": integer("What it holds, in bytes.", minimum=0),
    "allocation": integer("What it takes of its pool, in bytes.", minimum=0),
    "path": text("Where it is on the host."),
    "used_by": arr(text(), description="The machines that use it, also as what their disks are based on."),
    "format": text("Image format, such as qcow2, raw or iso."),
    "os_distro": text("Of an ISO image: the distribution, or unknown."),
    "os_version": text("Of an ISO image: the version, or unknown."),
    "bootable": boolean("Of an ISO image: whether a machine can boot from it and nothing of it is missing."),
    "isvalid": boolean("Whether it is what it is called, or was declared as: an ISO image, a qcow2 image."),
    "has_permission": boolean("Of an ISO image: whether QEMU's user may read it."),
    "base": text("The path of the image that it is based on."),
}
VOLUME: Final[Schema] = obj(
    _FIELDS,
    required=("name", "type", "capacity", "allocation", "path", "used_by", "format", "isvalid"),
    title="StorageVolume",
)
_FOLDERS: Final = frozenset({"dir", "netdir"})
_TYPES: Final = {"file": "file", "block": "block"}


def volumes_of(world: World, pool: str) -> list[Observed]:
    """A pool's volumes by name; folders are none."""
    found = volumes_by_pool(world.snapshot).get(pool, ())
    return [seen for seen in found if not is_folder(seen)]


@lru_cache(maxsize=2)
def volumes_by_pool(snapshot: Snapshot) -> Mapping[str, tuple[Observed, ...]]:
    """All volumes, in one walk."""
    found: dict[str, list[Observed]] = {}
    for ref, seen in snapshot.objects.items():
        if ref.kind == STORAGE_VOLUME:
            found.setdefault(ref.pool, []).append(seen)
    return {pool: tuple(sorted(each, key=lambda seen: seen.ref.name)) for pool, each in found.items()}


@lru_cache(maxsize=2)
def volumes_on(snapshot: Snapshot) -> Mapping[Ref, tuple[str, ...]]:
    """For each volume the names (`pool/volume`) of the volumes that are based on it."""
    objects = [seen for ref, seen in snapshot.objects.items() if ref.kind == STORAGE_VOLUME]
    at = {str(seen.details.get("path")): seen.ref for seen in objects}
    found: dict[Ref, list[str]] = {}
    for seen in objects:
        base = at.get(str(seen.details.get("backing") or ""))
        if base is not None and base != seen.ref:
            found.setdefault(base, []).append(seen.ref.name)
    return {ref: tuple(sorted(names)) for ref, names in found.items()}


def is_folder(observed: Observed) -> bool:
    """True for a folder in a pool, which libvirt lists among its volumes."""
    return observed.details.get("type") in _FOLDERS


def is_image(observed: Observed) -> bool:
    """True for what may be an ISO image, by its format and name."""
    return observed.details.get("format") == "iso" or observed.ref.name.lower().endswith(".iso")


def volume_view(world: World, observed: Observed, facts_of: FactsOf, *, raw_facts: bool = False) -> NewJson:
    """One volume. Facts of an image are left out where they say nothing; not with `raw_facts`."""
    details = observed.details
    view: NewJson = {
        "name": observed.ref.short_name,
        "type": _TYPES.get(str(details.get("type")), "network"),
        "capacity": int(details.get("capacity") or 0),
        "allocation": int(details.get("allocation") or 0),
        "path": str(details.get("path") or ""),
        "used_by": [user.name for user in users_of(world.snapshot).get(observed.ref, ())],
        "format": str(details.get("format") or "raw"),
    }
    facts = facts_of(view["path"]) if is_image(observed) else None
    view["isvalid"] = _is_valid(world, observed, facts)
    if facts is not None:
        view["has_permission"] = facts.may_read
    extra: NewJson = {"base": str(details.get("backing") or "")}
    if facts is not None:
        extra |= {"os_distro": facts.os_distro, "os_version": facts.os_version, "bootable": facts.bootable}
    if raw_facts:
        return view | {key: value for key, value in extra.items() if key != "base" or value}
    return view | {key: value for key, value in extra.items() if value}


def _is_valid(world: World, observed: Observed, facts: IsoFacts | None) -> bool:
    """False for what calls itself an ISO image and is none, and for what isn't of the format that it was declared."""
    if facts is not None:
        return facts.is_iso or not facts.is_seen
    declared = world.desired.resources.get(observed.ref)
    wanted = None if declared is None else VOLUMES.declared(declared.spec).get("format")
    found = observed.details.get("format")
    return wanted is None or found is None or wanted == found


def image_view(name: str, path: str, size: int, used_by: list[str], facts: IsoFacts) -> NewJson:
    """An ISO image that a deep scan found, which is a volume of no libvirt pool."""
    view = {
        "name": name,
        "type": "file",
        "capacity": size,
        "allocation": size,
        "path": path,
        "used_by": used_by,
        "format": "iso",
        "os_distro": facts.os_distro,
        "os_version": facts.os_version,
        "isvalid": facts.is_iso,
        "has_permission": facts.may_read,
    }
    return view | {"bootable": facts.bootable}
