"""Volumes on qemu:///system that are made in a way of their own: qemu-img finds them so, and nothing is drift after."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from reconciler.line.line import Line
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository

pytestmark = pytest.mark.qemu

V3 = {"compat": "1.1", "clusterSize": "128KiB", "lazyRefcounts": True, "extendedL2": True}


def declare(repository: Repository, pool: str, volumes: dict[str, dict[str, Any]]) -> None:
    def document(name: str, spec: dict[str, Any]) -> str:
        whole = {"pool": pool, "capacity": "16MiB", **spec}
        body = {"apiVersion": "onggi/v1", "kind": "StorageVolume", "metadata": {"name": name}, "spec": whole}
        return json.dumps(body)

    repository.commit({f"{name}.yaml": document(name, spec) for name, spec in volumes.items()})


def image(path: Path) -> dict[str, Any]:
    found = subprocess.run(["qemu-img", "info", "--output=json", path], capture_output=True, check=True, text=True)
    return json.loads(found.stdout)


def test_volumes_are_made_as_they_are_to_be(
    line_with_pool: Line, repository: Repository, host_objects: HostObjects, dir_pool_folder: Path
) -> None:
    line, folder = line_with_pool, dir_pool_folder / "pool"
    volumes: dict[str, dict[str, Any]] = {
        "plain.qcow2": {},
        "v3.qcow2": {"qcow2": V3, "permissions": {"mode": "0640", "owner": 0, "group": 0}},
        "tables.qcow2": {"preallocation": "metadata"},
        "full.qcow2": {"preallocation": "full"},
        "full.raw": {"preallocation": "full", "format": "raw"},
        "some.raw": {"allocation": "4MiB", "format": "raw"},
    }
    declare(repository, host_objects.name("pool"), volumes)
    assert line.converge().succeeded
    assert line.plan().empty
    made = image(folder / "v3.qcow2")
    details = made["format-specific"]["data"]
    assert (made["cluster-size"], details["compat"]) == (131072, "1.1")
    assert (details["lazy-refcounts"], details["extended-l2"]) == (True, True)
    assert (folder / "v3.qcow2").stat().st_mode & 0o777 == 0o640

    def taken(name: str) -> int:
        return (folder / name).stat().st_blocks * 512

    assert taken("plain.qcow2") < 1 << 20 < 16 << 20 <= taken("full.qcow2")
    assert (folder / "tables.qcow2").stat().st_size >= 16 << 20, "its tables are written, its room isn't"
    assert taken("tables.qcow2") < 1 << 20
    assert (taken("full.raw"), taken("some.raw")) == (16 << 20, 4 << 20)

    (folder / "v3.qcow2").chmod(0o600)
    line.hypervisor.observe(None, None)
    assert line.plan().empty, "whose it is afterwards is no business of its document"
    declare(repository, host_objects.name("pool"), {"v3.qcow2": {"qcow2": {**V3, "clusterSize": "64KiB"}}})
    assert [(each.ref.short_name, each.reason) for each in line.plan().blocked] == [("v3.qcow2", "ChangeRefused")]
