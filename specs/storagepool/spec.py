"""A StoragePool's spec as types. Written by `make docs` from `fields.py`: what is changed here is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Required, TypedDict


class SourceHost(TypedDict, total=False):
    """One monitor."""

    name: Required[str]
    port: int


class SourceAdapterParentAddress(TypedDict, total=False):
    """The adapter by its PCI device, in place of its name (scsi_host)."""

    address: Required[str]
    uniqueId: Required[int]


class SourceAdapter(TypedDict, total=False):
    """The SCSI host adapter (scsi)."""

    type: Literal["scsi_host", "fc_host"]
    name: str
    wwnn: str
    wwpn: str
    parentWwnn: str
    parentWwpn: str
    parentFabricWwn: str
    managed: bool
    parentAddress: SourceAdapterParentAddress
    parent: str


class SecretFrom(TypedDict, total=False):
    """Where a secret is kept, never the secret itself: exactly one of `file` and `env`."""

    file: str
    env: str


class SourceAuthSecret(TypedDict, total=False):
    """The secret of libvirt's that holds the password or the key."""

    usage: str
    uuid: str


class SourceAuth(TypedDict, total=False):
    """Credentials: CHAP's of an iSCSI target, Ceph's of a cluster (rbd)."""

    username: Required[str]
    passwordFrom: SecretFrom
    secret: SourceAuthSecret


class Source(TypedDict, total=False):
    """Where the pool's storage comes from."""

    host: str
    port: int
    hosts: Sequence[SourceHost]
    name: str
    path: str
    protocolVersion: str
    vendor: str
    product: str
    devices: Sequence[str]
    target: str
    initiator: str
    adapter: SourceAdapter
    auth: SourceAuth
    format: str


class Permissions(TypedDict, total=False):
    """Whose the folder is when it is made."""

    owner: int
    group: int
    mode: str
    label: str


class Features(TypedDict, total=False):
    """What the file system below it is to do."""

    copyOnWrite: bool


class Refresh(TypedDict, total=False):
    """How volumes are looked at."""

    allocation: Literal["default", "capacity"]


class StoragePoolSpec(TypedDict, total=False):
    """The pool."""

    type: Required[
        Literal[
            "dir",
            "netfs",
            "logical",
            "iscsi",
            "scsi",
            "kimchi-iso",
            "fs",
            "disk",
            "iscsi-direct",
            "mpath",
            "zfs",
            "rbd",
            "gluster",
            "sheepdog",
            "vstorage",
        ]
    ]
    path: str
    source: Source
    xml: str
    mountOptions: Sequence[str]
    permissions: Permissions
    features: Features
    refresh: Refresh
    autostart: bool
    active: bool
    build: bool
    deletionPolicy: Literal["Retain", "Delete"]
    driftPolicy: Literal["enforce", "warn", "ignore"]
    ignoreFields: Sequence[str]


class LoweredSourceAdapter(TypedDict, total=False):
    """The SCSI host adapter (scsi)."""

    type: str
    name: str
    wwnn: str
    wwpn: str
    parentWwnn: str
    parentWwpn: str
    parentFabricWwn: str
    managed: bool
    parentAddress: SourceAdapterParentAddress
    parent: str


class LoweredSourceAuth(TypedDict, total=False):
    """The user and the secret."""

    username: Required[str]
    type: str
    secret: Required[str]


class LoweredSource(TypedDict, total=False):
    """Where the pool's storage comes from."""

    host: str
    port: int
    hosts: Sequence[SourceHost]
    name: str
    path: str
    protocolVersion: str
    vendor: str
    product: str
    devices: Sequence[str]
    target: str
    initiator: str
    adapter: LoweredSourceAdapter
    auth: LoweredSourceAuth
    format: str


class LoweredRefresh(TypedDict, total=False):
    """How volumes are looked at."""

    allocation: str


class LoweredStoragePool(TypedDict, total=False):
    """The pool."""

    type: Required[str]
    path: str
    source: LoweredSource
    xml: str
    mountOptions: Sequence[str]
    permissions: Permissions
    features: Features
    refresh: LoweredRefresh
    build: bool
