"""Machines that tests of the API make from a template, on the test driver's own pool."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import libvirt
import pytest

from tests.api.live import LiveApi
from tests.lab.waiting import until

TEMPLATE = """\
apiVersion: onggi/v1
kind: Template
metadata: {name: small}
spec:
  template: base
  memory: 512
  disks:
    - size: 1
"""
BASE = """\
apiVersion: onggi/v1
kind: Template
metadata: {name: base}
spec:
  osDistro: debian
  osVersion: "12"
  cpus: 2
  storagePool: default-pool
  networks: [default]
"""


@pytest.fixture
def templates(api: LiveApi, hand: libvirt.virConnect) -> Iterator[LiveApi]:
    """With the templates `small` and `base`, which `small` extends; the host's pool is emptied afterwards."""
    api.repository.commit({"templates/small.yaml": TEMPLATE, "templates/base.yaml": BASE}, "Add templates")
    until(
        lambda: any(ref.name == "small" for ref in api.serving.world.desired.resources), 10, "the templates are known"
    )
    yield api
    for volume in hand.storagePoolLookupByName("default-pool").listAllVolumes():
        volume.delete()


def make(api: LiveApi, name: str = "web", **body: Any) -> dict[str, Any]:
    """A machine that is there."""
    answer = api.client.post("/vms", json={"name": name, "template": "/templates/small", **body})
    task = api.task(answer)
    assert task["status"] == "finished", task
    found: dict[str, Any] = api.client.get(f"/vms/{name}").json()
    return found


def code_of(answer: httpx.Response) -> str:
    return str(answer.json()["reason"]).partition(":")[0]


def disks_on(hand: libvirt.virConnect) -> set[str]:
    return {volume.name() for volume in hand.storagePoolLookupByName("default-pool").listAllVolumes()}
