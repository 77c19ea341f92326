"""How storage pools become documents."""

from __future__ import annotations

from reconciler.exporting.exporter import Exporter
from reconciler.exporting.storagepool.pool import pool
from specs.reference import STORAGE_POOL

EXPORTER = Exporter(
    STORAGE_POOL,
    lambda observed, _around: pool(observed),
    frozenset({"name", "uuid", "capacity", "allocation", "available", "source", "target"}),
)
