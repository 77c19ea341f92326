"""What a secret is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DOCUMENTS: Mapping[str, tuple[dict[str, Any], ...]] = {
    "Secret": (
        {"usage": {"type": "ceph"}, "valueFrom": {"file": "/etc/onggi/secrets/a"}},
        {"usage": {"type": "ceph"}, "valueFrom": {"env": "ONGGI_SECRET_A"}},
        {"usage": {"type": "ceph", "id": "/a"}},
    )
}
VALUES: Mapping[str, tuple[Any, ...]] = {
    "Secret.usage.id": ("one", "two"),
    "Secret.description": ("one", "two"),
    "Secret.valueFrom.file": ("/etc/onggi/secrets/a", "/etc/onggi/secrets/b"),
    "Secret.valueFrom.env": ("ONGGI_SECRET_A", "ONGGI_SECRET_B"),
}
