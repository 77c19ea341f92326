"""The kind StoragePool: a place for volumes."""

from specs.reference import STORAGE_POOL
from specs.registry import Kind
from specs.storagepool.model import check, references

KIND = Kind(
    name=STORAGE_POOL,
    plural="storagepools",
    aliases=("pool", "pools"),
    package=__name__,
    references=references,
    check=check,
)
