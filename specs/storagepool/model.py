"""The shape of a StoragePool's spec."""

from __future__ import annotations

from typing import Literal, TypedDict

from specs.policy import PolicyFields, SecretFrom


class Adapter(TypedDict, total=False):
    """The SCSI host adapter of a scsi pool."""

    type: Literal["scsi_host", "fc_host"]
    name: str
    wwnn: str
    wwpn: str
    parent: str


class Auth(TypedDict, total=False):
    """CHAP credentials of an iSCSI target; the password stays where `passwordFrom` says."""

    username: str
    passwordFrom: SecretFrom


class Source(TypedDict, total=False):
    """Where a pool's storage comes from. Which keys a type needs is in the schema."""

    host: str
    port: int
    path: str
    devices: list[str]
    target: str  # iSCSI qualified name
    initiator: str
    adapter: Adapter
    auth: Auth
    format: str


class StoragePoolSpec(PolicyFields, total=False):
    """A place for volumes."""

    type: Literal["dir", "netfs", "logical", "iscsi", "scsi", "kimchi-iso", "fs", "disk", "iscsi-direct"]
    path: str  # target path; the volume group for logical is named like the pool
    source: Source
    autostart: bool
    active: bool  # default true
    build: bool  # make the folder (default true for dir, netfs and fs) or format the source (default false elsewhere)
