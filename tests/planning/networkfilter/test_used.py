"""Filters and secrets come before whoever names them, leave after, and stay while somebody does."""

from __future__ import annotations

from typing import Any

import pytest

from tests.desired.documents import document, vm
from tests.planning.rehearsed_host import RehearsedHost

DROP = {"rules": [{"action": "drop", "direction": "in"}]}
MACHINE: dict[str, Any] = {"runStrategy": "Manual", "interfaces": [{"network": "default", "filter": {"name": "web"}}]}
POOL = {"type": "rbd", "source": {"name": "vms", "hosts": [{"name": "a.example"}], "auth": {"username": "ops",
        "secret": {"usage": "web"}}}}  # fmt: skip
NETWORK = document("Network", "default", {"mode": "isolated", "subnet": "192.0.2.0/24"})
USERS = [
    pytest.param("NetworkFilter", DROP, vm("user", MACHINE), id="a machine's filter"),
    pytest.param(
        "NetworkFilter", DROP, document("NetworkFilter", "user", {"rules": [{"filter": "web"}]}), id="a filter's"
    ),
    pytest.param("Secret", {"usage": {"type": "ceph"}}, document("StoragePool", "user", POOL), id="a pool's secret"),
]


@pytest.mark.parametrize(("kind", "spec", "user"), USERS)
def test_what_is_named_comes_first_and_leaves_last(kind: str, spec: dict[str, Any], user: str) -> None:
    host = RehearsedHost(running=False)
    kept = {"net.yaml": NETWORK, "other.yaml": vm("other", {"runStrategy": "Manual"})} | {
        f"{n}.yaml": document("NetworkFilter", f"kept{n}", DROP) for n in range(9)
    }
    files = {"z-named.yaml": document(kind, "web", spec), "user.yaml": user}

    def order(files: dict[str, str]) -> list[str]:
        plan = host.apply(kept | files)
        assert not plan.blocked
        return [step.ref.name for step in plan.steps if step.ref.name in ("web", "user")]

    assert order(files) == ["web", "user"]
    assert host.plan(kept | files).empty
    (blocked,) = host.plan(kept | {"user.yaml": user}).blocked
    assert (blocked.ref.name, blocked.reason) == ("web", "InUse")
    assert order({}) == ["user", "web"]


def test_nothing_is_held_back_for_a_filter_that_libvirt_may_have() -> None:
    host = RehearsedHost(running=False)
    files = {"net.yaml": NETWORK, "vm.yaml": vm("user", MACHINE)}
    assert not host.plan(files).blocked
