"""The shape of a StorageVolume's spec."""

from __future__ import annotations

from typing import TypedDict

from specs.policy import PolicyFields


class VolumeOrigin(TypedDict, total=False):
    """Where the bytes come from, once."""

    url: str
    sha256: str


class StorageVolumeSpec(PolicyFields, total=False):
    """A volume in a pool. Its name is `metadata.name`, which may repeat in another pool."""

    pool: str
    capacity: str | int  # `10GiB`, or bytes; needed unless it has a source
    format: str  # qcow2, raw, ...
    backingVolume: str  # `volume` in the same pool, or `pool/volume`
    source: VolumeOrigin
