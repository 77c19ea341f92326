"""Pools mean something for the machines that have disks in them: their volumes are files, or devices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reconciler.desired.making import Around, Making
from specs.document import Document
from specs.reference import STORAGE_POOL
from specs.storagepool import KIND as POOLS
from specs.storagepool.types import OF_DEVICES


class PoolMaking(Making):
    """That of storage pools."""

    kind = STORAGE_POOL

    def gather(self, documents: Sequence[Document], before: Any) -> frozenset[str]:
        """Those whose volumes are devices: always raw, and named without a suffix."""
        return frozenset(each.name for each in documents if POOLS.declared(each.spec).get("type") in OF_DEVICES)


MAKING = PoolMaking()


def block_pools(around: Around) -> frozenset[str]:
    """The declared pools whose volumes are devices."""
    pools: frozenset[str] = around.gathered[STORAGE_POOL]
    return pools
