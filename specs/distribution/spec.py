"""A Distribution's spec as types. Written by `make docs` from `fields.py`: what is changed here is lost."""

from __future__ import annotations

from typing import Required, TypedDict


class DistributionSpec(TypedDict, total=False):
    """Where the image is, and what it holds."""

    path: Required[str]
    osDistro: str
    osVersion: str
    osArch: str
