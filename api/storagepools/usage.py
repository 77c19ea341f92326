"""Who uses a volume or a pool: what a request to take it away is refused with."""

from __future__ import annotations

from api.storagepools.storagevolumes.view import volumes_on
from reconciler.errors import Conflict
from reconciler.loop.passes import World
from reconciler.planning.ownership import Fact
from reconciler.planning.storagevolume.uses import users_of
from specs.reference import STORAGE_VOLUME, VIRTUAL_MACHINE, Ref


def users(world: World, ref: Ref) -> list[str]:
    """Who uses a volume, running or not, on the host or as declared: `machine web`, `volume default/web.qcow2`."""
    volumes = set(volumes_on(world.snapshot).get(ref, ())) | _declared(world, ref, STORAGE_VOLUME)
    return [f"machine {name}" for name in machines_with(world, ref)] + [f"volume {name}" for name in sorted(volumes)]


def machines_with(world: World, ref: Ref) -> list[str]:
    """The names of the machines that have a volume, or what is based on it, on the host or as declared."""
    return sorted(
        {user.name for user in users_of(world.snapshot).get(ref, ())} | _declared(world, ref, VIRTUAL_MACHINE)
    )


def _declared(world: World, ref: Ref, kind: str) -> set[str]:
    found = ((other, resource) for other, resource in world.desired.resources.items() if other.kind == kind)
    return {other.name for other, resource in found if ref in resource.depends_on}


def running_users(world: World, pool: str) -> list[str]:
    """The machines that run on volumes of a pool."""
    objects = world.snapshot.objects
    found = {
        user.name
        for volume, each in users_of(world.snapshot).items()
        if volume.pool == pool
        for user in each
        if objects[user].active
    }
    return sorted(found)


def refuse_protected(world: World, ref: Ref) -> None:
    """Raises Conflict for what its document, or the last one that it had, protects from being removed."""
    resource, owned = world.desired.resources.get(ref), world.owned.get(ref)
    if (resource is not None and resource.policy.protect) or (owned is not None and owned.facts.get(Fact.PROTECT)):
        raise Conflict(
            f"{ref} is protected by the annotation onggi/protect; commit its document without the annotation first."
        )
