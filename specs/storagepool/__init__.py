"""The kind StoragePool: a place for volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specs.reference import STORAGE_POOL
from specs.registry import TypedKind
from specs.storagepool.among import check_among
from specs.storagepool.model import check, references

if TYPE_CHECKING:
    from specs.storagepool.spec import LoweredStoragePool, StoragePoolSpec

KIND: TypedKind[StoragePoolSpec, LoweredStoragePool] = TypedKind(
    name=STORAGE_POOL,
    plural="storagepools",
    aliases=("pool", "pools"),
    noun="pool",
    package=__name__,
    references=references,
    check=check,
    check_among=check_among,
)
