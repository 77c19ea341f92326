"""The picture that stands for a machine or a template in clients: its own, else that of its distribution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.images.drawn import address_of


def icon_of(spec: Mapping[str, Any]) -> str:
    """The icon by what a document says: `icon`, or `osDistro`."""
    return str(spec.get("icon") or address_of(str(spec.get("osDistro") or "")))
