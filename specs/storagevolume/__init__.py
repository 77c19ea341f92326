"""The kind StorageVolume: a disk image or device in a pool."""

from specs.reference import STORAGE_VOLUME
from specs.registry import Kind
from specs.storagevolume.model import check, references

KIND = Kind(
    name=STORAGE_VOLUME,
    plural="storagevolumes",
    aliases=("volume", "volumes", "vol", "vols"),
    package=__name__,
    references=references,
    check=check,
)
