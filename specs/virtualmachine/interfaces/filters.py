"""Which network filters a machine's interfaces name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def filters_of(spec: Mapping[str, Any]) -> Iterator[str]:
    """Their names, of a declared machine, a template's, or one as observed."""
    for interface in spec.get("interfaces", ()):
        if name := (interface.get("filter") or {}).get("name"):
            yield str(name)
