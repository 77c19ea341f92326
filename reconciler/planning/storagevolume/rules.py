"""What is so of storage volumes, and what planning asks of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.assessment import Assessment
from reconciler.planning.context import Context
from reconciler.planning.ownership import Owned
from reconciler.planning.rules import Assessor, Removal, Rules
from reconciler.planning.storagevolume import leaving, volume
from reconciler.planning.virtualmachine.renaming import assess_disk
from specs.reference import STORAGE_VOLUME, Ref


class VolumeRules(Rules):
    """Of storage volumes."""

    kind = STORAGE_VOLUME
    stands_alone = True
    uses_others = True

    def uses(self, observed: Observed, context: Context) -> Iterator[Ref]:
        """What it is backed by."""
        backing = context.volume_at.get(str(observed.details.get("backing") or ""))
        if backing is not None:
            yield backing

    def may_leave(self, entry: Owned, context: Context) -> bool:
        """Only when its document said so, and nobody may need it elsewhere."""
        return leaving.may_leave(entry, context)

    def removal(self, entry: Owned, present: Ref, context: Context) -> Removal | Assessment:
        """Through the trash."""
        return leaving.removal(entry, context)

    def assessor(self, context: Context) -> Assessor:
        """Each by itself."""
        return partial(volume.assess, context=context)

    def beside(self, resource: Resource, context: Context) -> tuple[object, ...]:
        """What it is made on, and whether its pool has a folder."""
        return context.resource_sources(resource), resource.ref.pool in context.host.pool_paths

    def tells_all(self, observed: Observed, entry: Owned | None) -> bool:
        """Without an entry its users tell whose it is."""
        return entry is not None

    def renamed(self, resource: Resource, context: Context) -> Assessment | None:
        """It follows its machine."""
        present = context.renames.present.get(resource.ref)
        if present is None or resource.parent is None:
            return None
        return assess_disk(resource, resource.parent, present, context)


RULES = VolumeRules()
