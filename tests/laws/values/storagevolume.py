"""How volumes are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NEW: dict[str, Any] = {"pool": "default", "capacity": "1GiB", "permissions": {}}
_UID = "{}-0000-4000-8000-000000000000"
_LUKS = {"secret": {"usage": "one"}, "cipher": {"name": "aes", "size": 256}, "ivgen": {"name": "plain"}}
DOCUMENTS: Mapping[str, tuple[dict[str, Any], ...]] = {
    "StorageVolume": (
        {**_NEW, "qcow2": {"compat": "1.1"}},
        {**_NEW, "encryption": _LUKS},
        {**_NEW, "encryption": {"secret": {"uuid": _UID.format("1" * 8)}}},
    )
}
VALUES: Mapping[str, tuple[Any, ...]] = {
    "StorageVolume.allocation": ("1MiB", "2MiB"),
    "StorageVolume.qcow2.compat": ("0.10", "1.1"),
    "StorageVolume.qcow2.clusterSize": ("64KiB", "128KiB"),
    "StorageVolume.encryption.format": ("luks", "luks"),
    "StorageVolume.encryption.secret.usage": ("one", "two"),
    "StorageVolume.encryption.secret.uuid": (_UID.format("1" * 8), _UID.format("2" * 8)),
    "StorageVolume.permissions.mode": ("0600", "0640"),
    "StorageVolume.permissions.label": ("one", "two"),
}
