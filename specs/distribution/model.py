"""The shape of a Distribution's spec. What osinfo's database knows already needs no document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from specs.reference import Ref


class DistributionSpec(TypedDict, total=False):
    """`path` is an absolute path on the host, or an http(s), ftp or tftp URL; the rest is what the image holds."""

    path: str
    osDistro: str
    osVersion: str
    osArch: str


def references(_name: str, _spec: Mapping[str, Any]) -> Iterable[Ref]:
    """It needs nothing else."""
    return ()


def check(_name: str, _spec: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """What an address may be, the schema says whole."""
    return ()
