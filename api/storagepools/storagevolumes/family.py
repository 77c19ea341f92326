"""What the resources of volumes share: which pool and volume is meant, and a name for a new one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import ClassVar, Final

from api.documents.resource import DocumentResource
from api.http.refusal import bad, not_found
from api.storagepools.storagevolumes.new_volume import free_refs, names_in
from api.storagepools.storagevolumes.view import is_folder, volume_view
from api.storagepools.view import ISO_POOL
from reconciler.ledger.task_records import TaskRecord
from reconciler.loop.passes import World
from reconciler.observed.snapshot import Observed
from reconciler.serving.client import Client
from reconciler.serving.names import Promise
from reconciler.serving.tasks import Tell, Work
from specs import reference
from specs.plain import NewJson
from specs.reference import STORAGE_POOL, Ref
from specs.storagepool import KIND as POOLS
from specs.storagepool.types import LUNS

UPLOAD_CODES: Final = {"NotUploading": "KCHVOL0027E", "SizeMismatch": "KCHVOL0026E", "BeyondCapacity": "KCHVOL0028E"}


class VolumeResource(DocumentResource):
    """Of one volume, or of all of a pool."""

    tag: ClassVar[str] = "Storage volumes"
    kind = reference.STORAGE_VOLUME
    noun = "volume"
    missing_code = "KCHVOL0002E"
    taken_code = "KCHVOL0001E"
    name_code = "KCHVOL0013E"

    def fresh_world(self, pool: str) -> World:
        """The world in which the pool, or each one for the reserved pool, was just looked into. Blocks for a moment."""
        world = self.serving.world
        pools = [pool] if pool != ISO_POOL else [ref.name for ref in world.snapshot.objects if ref.kind == STORAGE_POOL]
        return self.serving.freshness.look(world, pools)

    def active_pool(self, world: World, pool: str) -> Observed:
        """Raises Refusal: 404, or 400 while its volumes can't be seen."""
        observed = world.snapshot.get(Ref(STORAGE_POOL, pool))
        if observed is None:
            raise not_found("KCHPOOL0002E", f"The storage pool {pool}")
        if not observed.active:
            raise bad("KCHVOL0006E", f"The storage pool {pool} is inactive; activate it to get at its volumes.")
        return observed

    def writable_pool(self, world: World, pool: str) -> Observed:
        """The same for who makes or removes volumes."""
        observed = self.active_pool(world, pool)
        if (kind := str(POOLS.lowered(observed.config).get("type"))) in LUNS:
            raise bad(
                "KCHVOL0012E", f"What is in a pool of type {kind} comes from elsewhere and can't be changed here."
            )
        return observed

    def volume(self, world: World, pool: str, name: str) -> Observed:
        """Raises Refusal 404."""
        observed = world.snapshot.get(Ref.volume(pool, name))
        if observed is None or is_folder(observed):
            raise not_found("KCHVOL0002E", f"The volume {name} in the pool {pool}")
        return observed

    def view(self, world: World, observed: Observed) -> NewJson:
        """Blocks for what is in an ISO image."""
        return volume_view(world, observed, self.serving.images.facts)

    def free(self, world: World, pool: str, names: Iterator[str]) -> Promise | None:
        """The first name that no volume of the pool has or is to have; nobody else gets it until it is released."""
        found = free_refs(pool, names, names_in(world, pool))
        return self.serving.names.first(ref for ref in found if not self.serving.uploads.expects(ref))

    def start(self, promise: Promise, work: Work, client: Client, *, fetches: bool = False) -> TaskRecord:
        """A task that makes a volume, whose name was found free."""

        def released(tell: Tell, stop: threading.Event) -> str | None:
            try:
                return work(tell, stop)
            finally:
                self.serving.names.release(promise)

        try:
            return self.serving.tasks.start(target_of(promise.ref), released, client, fetches=fetches)
        except BaseException:
            self.serving.names.release(promise)
            raise


def target_of(ref: Ref) -> str:
    """The address of a volume as tasks keep it: not encoded."""
    return f"/storagepools/{ref.pool}/storagevolumes/{ref.short_name}"
