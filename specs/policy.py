"""The fields that every kind with an object on the host shares."""

from __future__ import annotations

from typing import Literal, TypedDict


class PolicyFields(TypedDict, total=False):
    """How onggi may treat the object."""

    deletionPolicy: Literal["Retain", "Delete"]  # Retain: volumes outlive the document
    driftPolicy: Literal["enforce", "warn", "ignore"]
    ignoreFields: list[str]  # JSON pointers into the spec


class SecretFrom(TypedDict, total=False):
    """Where a secret is kept; exactly one of both. Never its value."""

    file: str
    env: str
