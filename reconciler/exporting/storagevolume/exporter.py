"""How storage volumes become documents."""

from __future__ import annotations

from reconciler.exporting.exporter import Exporter
from reconciler.exporting.storagevolume.volume import volume
from specs.reference import STORAGE_VOLUME

EXPORTER = Exporter(
    STORAGE_VOLUME,
    volume,
    frozenset({"name", "key", "capacity", "allocation", "physical", "source", "target", "backingStore"}),
)
