"""A StorageVolume's spec as types. Written by `make docs` from `fields.py`: what is changed here is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Required, TypedDict


class Source(TypedDict, total=False):
    """Where its contents come from, once, when it is made."""

    url: Required[str]
    sha256: str


class Qcow2(TypedDict, total=False):
    """How a qcow2 image is made; libvirt can't change that afterwards."""

    compat: str
    clusterSize: str
    lazyRefcounts: bool
    extendedL2: bool


class EncryptionSecret(TypedDict, total=False):
    """The secret with its passphrase, when it is made."""

    usage: str
    uuid: str


class EncryptionCipher(TypedDict, total=False):
    """The cipher."""

    name: Required[Literal["aes", "serpent", "twofish", "cast5"]]
    size: Required[int]
    mode: Literal["xts", "cbc", "ecb", "ctr"]
    hash: Literal["sha1", "sha256", "sha512", "ripemd160"]


class EncryptionIvgen(TypedDict, total=False):
    """How each sector is told from the others."""

    name: Required[Literal["plain", "plain64", "essiv"]]
    hash: Literal["sha1", "sha256", "sha512", "ripemd160"]


class Encryption(TypedDict, total=False):
    """How its contents are encrypted, by LUKS."""

    format: Literal["luks"]
    secret: Required[EncryptionSecret]
    cipher: EncryptionCipher
    ivgen: EncryptionIvgen


class Permissions(TypedDict, total=False):
    """Whose the file is when it is made; libvirt gives it to QEMU while a machine runs."""

    owner: int
    group: int
    mode: str
    label: str


class StorageVolumeSpec(TypedDict, total=False):
    """The volume."""

    pool: Required[str]
    capacity: str
    format: Literal["qcow2", "raw", "qcow", "qed", "vmdk", "vdi", "vpc", "iso"]
    backingVolume: str
    source: Source
    allocation: str
    preallocation: Literal["off", "metadata", "full"]
    qcow2: Qcow2
    encryption: Encryption
    noCopyOnWrite: bool
    permissions: Permissions
    onLoss: Literal["hold", "recreate"]
    xml: str
    deletionPolicy: Literal["Retain", "Delete"]
    driftPolicy: Literal["enforce", "warn", "ignore"]
    ignoreFields: Sequence[str]


class LoweredBackingVolume(TypedDict, total=False):
    """Where it is."""

    path: Required[str]
    format: Required[str]


class LoweredQcow2(TypedDict, total=False):
    """How it is made."""

    compat: str
    clusterSize: int
    lazyRefcounts: bool
    extendedL2: bool


class LoweredEncryptionCipher(TypedDict, total=False):
    """The cipher."""

    name: Required[str]
    size: Required[int]
    mode: str
    hash: str


class LoweredEncryptionIvgen(TypedDict, total=False):
    """How each sector is told from the others."""

    name: Required[str]
    hash: str


class LoweredEncryption(TypedDict, total=False):
    """How its contents are encrypted, by LUKS."""

    format: str
    secret: Required[EncryptionSecret]
    cipher: LoweredEncryptionCipher
    ivgen: LoweredEncryptionIvgen


class LoweredStorageVolume(TypedDict, total=False):
    """The volume."""

    pool: Required[str]
    capacity: int
    format: str
    backingVolume: LoweredBackingVolume
    source: Source
    allocation: int
    preallocation: str
    qcow2: LoweredQcow2
    encryption: LoweredEncryption
    noCopyOnWrite: bool
    permissions: Permissions
    xml: str
