"""Volumes: what one starts from may be named without the pool that both lie in."""

from __future__ import annotations

from reconciler.desired.making import Making
from specs.document import Document
from specs.plain import Spec
from specs.reference import STORAGE_VOLUME, Ref


class VolumeMaking(Making):
    """That of storage volumes."""

    kind = STORAGE_VOLUME

    def spec(self, document: Document) -> Spec:
        """With its backing volume named in full."""
        spec = dict(document.spec)
        if "backingVolume" in spec:
            spec["backingVolume"] = Ref.volume_named(spec["backingVolume"], document.ref.pool).name
        return spec


MAKING = VolumeMaking()
