"""A MediatedDevice's spec as types. Written by `make docs` from `fields.py`: what is changed here is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Required, TypedDict


class Attribute(TypedDict, total=False):
    """One attribute."""

    name: Required[str]
    value: Required[str]


class MediatedDeviceSpec(TypedDict, total=False):
    """The device."""

    parent: Required[str]
    type: Required[str]
    attributes: Sequence[Attribute]
    autostart: bool
    active: bool
    deletionPolicy: Literal["Retain", "Delete"]
    driftPolicy: Literal["enforce", "warn", "ignore"]
    ignoreFields: Sequence[str]


class LoweredMediatedDevice(TypedDict, total=False):
    """The device."""

    parent: Required[str]
    type: Required[str]
    attributes: Sequence[Attribute]
