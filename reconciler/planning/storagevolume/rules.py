"""What is so of storage volumes, and what planning asks of them."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.observed.snapshot import Observed
from reconciler.planning.assessment import Assessment
from reconciler.planning.context import Context
from reconciler.planning.ownership import Owned
from reconciler.planning.rules import Removal, Rules
from reconciler.planning.storagevolume import leaving
from specs.reference import STORAGE_VOLUME, Ref


class VolumeRules(Rules):
    """Of storage volumes."""

    kind = STORAGE_VOLUME
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


RULES = VolumeRules()
