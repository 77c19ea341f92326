"""A Secret's spec as types. Written by `make docs` from `fields.py`: what is changed here is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Required, TypedDict


class Usage(TypedDict, total=False):
    """What it is for, by which others refer to it."""

    type: Required[Literal["volume", "ceph", "iscsi", "tls", "vtpm"]]
    id: str


class SecretFrom(TypedDict, total=False):
    """Where a secret is kept, never the secret itself: exactly one of `file` and `env`."""

    file: str
    env: str


class SecretSpec(TypedDict, total=False):
    """The secret."""

    usage: Usage
    description: str
    ephemeral: bool
    private: bool
    valueFrom: SecretFrom
    encoding: Literal["text", "base64"]
    deletionPolicy: Literal["Retain", "Delete"]
    driftPolicy: Literal["enforce", "warn", "ignore"]
    ignoreFields: Sequence[str]


class LoweredUsage(TypedDict, total=False):
    """What it is for, by which others refer to it."""

    type: Required[str]
    id: str


class LoweredSecret(TypedDict, total=False):
    """The secret."""

    usage: LoweredUsage
    description: str
    ephemeral: bool
    private: bool
