"""The ISO images of all active pools in one list, and what a deep scan found below a folder. Blocks for the disk."""

from __future__ import annotations

from typing import Any

from api.http.isolated import isolated
from api.storagepools.storagevolumes.view import image_view, is_image, volume_view, volumes_of
from api.storagepools.view import ISO_TYPE, pool_type
from reconciler.loop.passes import World
from reconciler.observed.readable import readable
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.serving.serving import Serving
from specs.reference import STORAGE_POOL, VIRTUAL_MACHINE, Ref
from specs.storagepool import KIND as POOLS

View = dict[str, Any]


def volume_views(serving: Serving, world: World, pool: Observed) -> list[View]:
    """The volumes of an active pool; of a kimchi-iso pool also what lies deeper."""
    found = isolated(
        volumes_of(world, pool.ref.name), lambda seen: volume_view(world, seen, serving.images.facts), _ref
    )
    return [*found, *scanned(serving, world, pool)]


def all_images(serving: Serving, world: World) -> list[View]:
    """The ISO images of all active pools by name, each path once."""
    found: dict[str, View] = {}
    pools = [seen for ref, seen in world.snapshot.objects.items() if ref.kind == STORAGE_POOL]
    for views in isolated(pools, lambda pool: _images(serving, world, pool), _ref):
        for view in views:
            found.setdefault(view["path"], view)
    return sorted(found.values(), key=lambda view: str(view["name"]))


def _images(serving: Serving, world: World, pool: Observed) -> list[View]:
    if not pool.active:
        return []

    def view(seen: Observed) -> View | None:
        return volume_view(world, seen, serving.images.facts, raw_facts=True) if is_image(seen) else None

    views = isolated(volumes_of(world, pool.ref.name), view, _ref)
    return [*(each for each in views if each is not None), *scanned(serving, world, pool)]


def scanned(serving: Serving, world: World, pool: Observed) -> list[View]:
    """What a deep scan found below the folder of a kimchi-iso pool, without what the pool itself shows."""
    if pool_type(world, pool) != ISO_TYPE:
        return []
    own = volumes_of(world, pool.ref.name)
    paths, names = {seen.details.get("path") for seen in own}, {seen.ref.short_name for seen in own}
    images = serving.scans.found(pool.ref.name, str(POOLS.lowered(pool.config).get("path") or ""))
    return [
        image_view(
            image.name, image.path, image.size, _users(world.snapshot, image.path), serving.images.facts(image.path)
        )
        for image in images
        if image.path not in paths and image.name not in names
    ]


def _ref(seen: Observed) -> Ref:
    return seen.ref


def _users(snapshot: Snapshot, path: str) -> list[str]:
    """The machines that have the file at `path` in a drive."""
    found = []
    for seen in readable(snapshot, VIRTUAL_MACHINE):
        specs = filter(None, (seen.config, seen.live))
        drives = (drive for spec in specs for drive in (*spec.get("disks", ()), *spec.get("cdroms", ())))
        if any((drive.get("source") or {}).get("file") == path for drive in drives):
            found.append(seen.ref.name)
    return found
