"""The shape of a Distribution's spec. What osinfo's database knows already needs no document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypedDict
from urllib.parse import urlsplit

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


def check(_name: str, spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What the schema can't say of an address. Relies on the shape that it asks for."""
    path = str(spec.get("path") or "/")
    if path.startswith("/"):
        return
    try:
        good = bool(urlsplit(path).hostname) and urlsplit(path).port != 0
    except ValueError:
        good = False
    if not good:
        yield "/path", "The URL has a host or a port that can't be; correct it."
