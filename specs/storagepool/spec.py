"""A StoragePool's spec as types. Written by `make docs` from `fields.py`: what is changed here is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Required, TypedDict


class SourceAdapter(TypedDict, total=False):
    """The SCSI host adapter (scsi)."""

    type: Literal["scsi_host", "fc_host"]
    name: str
    wwnn: str
    wwpn: str
    parent: str


class SecretFrom(TypedDict, total=False):
    """Where a secret is kept, never the secret itself: exactly one of `file` and `env`."""

    file: str
    env: str


class SourceAuth(TypedDict, total=False):
    """CHAP credentials of an iSCSI target."""

    username: Required[str]
    passwordFrom: Required[SecretFrom]


class Source(TypedDict, total=False):
    """Where the pool's storage comes from."""

    host: str
    port: int
    path: str
    devices: Sequence[str]
    target: str
    initiator: str
    adapter: SourceAdapter
    auth: SourceAuth
    format: str


class StoragePoolSpec(TypedDict, total=False):
    """The pool."""

    type: Required[Literal["dir", "netfs", "logical", "iscsi", "scsi", "kimchi-iso", "fs", "disk", "iscsi-direct"]]
    path: str
    source: Source
    xml: str
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
    parent: str


class LoweredSourceAuth(TypedDict, total=False):
    """The user and the secret."""

    username: Required[str]
    secret: Required[str]


class LoweredSource(TypedDict, total=False):
    """Where the pool's storage comes from."""

    host: str
    port: int
    path: str
    devices: Sequence[str]
    target: str
    initiator: str
    adapter: LoweredSourceAdapter
    auth: LoweredSourceAuth
    format: str
    name: str


class LoweredStoragePool(TypedDict, total=False):
    """The pool."""

    type: Required[str]
    path: str
    source: LoweredSource
    xml: str
    build: bool
