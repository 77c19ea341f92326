"""Pools of each type that has fields of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_WWN = "0" * 15 + "{}"
_FC = {"type": "fc_host", "wwnn": _WWN.format(1), "wwpn": _WWN.format(2)}
_PARENT = {"parentAddress": {"address": "0000:00:1f.2", "uniqueId": 1}}
DOCUMENTS: Mapping[str, tuple[dict[str, Any], ...]] = {
    "StoragePool": (
        {"type": "rbd", "source": {"name": "vms", "hosts": [{"name": "a.example"}], "auth": {"username": "ops",
         "secret": {"usage": "key"}}}},
        {"type": "rbd", "source": {"name": "vms", "hosts": [{"name": "a.example"}], "auth": {"username": "ops",
         "secret": {"uuid": "0" * 8 + "-0000-4000-8000-" + "0" * 12}}}},
        {"type": "gluster", "source": {"host": "a.example", "name": "vms"}},
        {"type": "zfs", "source": {"name": "tank/vms"}},
        {"type": "scsi", "source": {"adapter": _FC}},
        {"type": "scsi", "source": {"adapter": _PARENT}},
        {"type": "fs", "path": "/srv/a", "source": {"devices": ["/dev/sda"]}},
        {"type": "dir", "path": "/srv/a", "permissions": {}},
    )
}  # fmt: skip
VALUES: Mapping[str, tuple[Any, ...]] = {
    "StoragePool.source.hosts.name": ("a.example", "b.example"),
    "StoragePool.source.name": ("one", "two"),
    "StoragePool.source.protocolVersion": ("3", "4.1"),
    "StoragePool.source.vendor": ("one", "two"),
    "StoragePool.source.product": ("one", "two"),
    "StoragePool.source.adapter.parentWwnn": (_WWN.format(3), _WWN.format(4)),
    "StoragePool.source.adapter.parentWwpn": (_WWN.format(3), _WWN.format(4)),
    "StoragePool.source.adapter.parentFabricWwn": (_WWN.format(3), _WWN.format(4)),
    "StoragePool.source.adapter.parentAddress.address": ("0000:00:1f.2", "0000:00:1f.3"),
    "StoragePool.source.auth.secret.usage": ("one", "two"),
    "StoragePool.source.auth.secret.uuid": (
        "11111111-0000-4000-8000-000000000000",
        "22222222-0000-4000-8000-000000000000",
    ),
    "StoragePool.mountOptions": (["sync"], ["sync", "vers=4.1"]),
    "StoragePool.permissions.mode": ("0711", "0755"),
    "StoragePool.permissions.label": ("one", "two"),
}
