"""The kind StoragePool: a place for volumes."""

from specs.storagepool.model import check, references
from specs.reference import STORAGE_POOL
from specs.registry import Kind

KIND = Kind(
    name=STORAGE_POOL,
    plural="storagepools",
    aliases=("pool", "pools"),
    package=__name__,
    references=references,
    check=check,
)
