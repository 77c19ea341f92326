"""The picture that stands for a machine or a template in clients: its own, else that of its distribution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_DEFAULT: Final = "images/icon-vm.png"
_DISTRIBUTIONS: Final = frozenset({"centos", "debian", "fedora", "gentoo", "opensuse", "ubuntu"})


def icon_of(spec: Mapping[str, Any]) -> str:
    """The icon by what a document says: `icon`, or `osDistro`."""
    if spec.get("icon"):
        return str(spec["icon"])
    distribution = str(spec.get("osDistro") or "").lower()
    return f"images/icon-{distribution}.png" if distribution in _DISTRIBUTIONS else _DEFAULT
