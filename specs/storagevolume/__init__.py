"""The kind StorageVolume: a disk image or device in a pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specs.reference import STORAGE_VOLUME
from specs.registry import TypedKind
from specs.storagevolume.model import check, references

if TYPE_CHECKING:
    from specs.storagevolume.spec import LoweredStorageVolume, StorageVolumeSpec

KIND: TypedKind[StorageVolumeSpec, LoweredStorageVolume] = TypedKind(
    name=STORAGE_VOLUME,
    plural="storagevolumes",
    aliases=("volume", "volumes", "vol", "vols"),
    noun="volume",
    package=__name__,
    references=references,
    check=check,
    holds_data=True,
    is_defined=False,
)
