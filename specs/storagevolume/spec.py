"""A StorageVolume's spec as types. Written by `make docs` from `fields.py`: what is changed here is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Required, TypedDict


class Source(TypedDict, total=False):
    """Where its contents come from, once, when it is made."""

    url: Required[str]
    sha256: str


class StorageVolumeSpec(TypedDict, total=False):
    """The volume."""

    pool: Required[str]
    capacity: str
    format: Literal["qcow2", "raw", "qcow", "qed", "vmdk", "vdi", "vpc", "iso"]
    backingVolume: str
    source: Source
    onLoss: Literal["hold", "recreate"]
    xml: str
    deletionPolicy: Literal["Retain", "Delete"]
    driftPolicy: Literal["enforce", "warn", "ignore"]
    ignoreFields: Sequence[str]


class LoweredBackingVolume(TypedDict, total=False):
    """Where it is."""

    path: Required[str]
    format: Required[str]


class LoweredStorageVolume(TypedDict, total=False):
    """The volume."""

    pool: Required[str]
    capacity: int
    format: str
    backingVolume: LoweredBackingVolume
    source: Source
    xml: str
