"""No client gives two things names that look the same."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import hand
from tests.api.live import LiveApi, api

__all__ = ["api", "hand"]

TWINS = ("te\u00adst", "te\u202est", "te\u3164st", "te\U000e0041st", "test\ufe0f", "te\u00a0st", "te\u0301st")


def doors(name: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Every request that gives something a name."""
    return [
        ("POST", "/storagepools", {"name": name, "type": "dir", "path": "/srv/lab"}),
        ("POST", "/networks", {"name": name, "connection": "isolated"}),
        ("POST", "/templates", {"name": name, "source_media": {"type": "disk", "path": "/srv/base.qcow2"}}),
        ("POST", "/storagepools/default-pool/storagevolumes", {"name": name, "capacity": 1 << 20}),
        ("POST", "/vms", {"name": name, "template": "/templates/small"}),
        ("PUT", "/vms/test", {"name": name}),
    ]


@pytest.fixture
def templates(api: LiveApi) -> LiveApi:
    text = "apiVersion: onggi/v1\nkind: Template\nmetadata: {name: small}\nspec: {memory: 64}\n"
    api.repository.commit({"small.yaml": text})
    api.agent.fetch_now()
    return api


def test_no_door_takes_a_name_that_looks_like_another(templates: LiveApi) -> None:
    head = templates.repository.head
    for name in TWINS:
        for method, path, body in doors(name):
            answer = templates.client.request(method, path, json=body)
            assert answer.status_code == 400, f"{method} {path} takes {name!a}: {answer.text}"
    for name in TWINS[:-1]:  # a snapshot's is a name on the host alone
        answer = templates.client.post("/vms/test/snapshots", json={"name": name})
        assert answer.status_code == 400, answer.text
    assert templates.client.put("/vms/test", json={"title": "pay\u202elor"}).status_code == 400
    assert templates.repository.head == head
