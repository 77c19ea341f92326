"""Two agents, each in a network namespace of its own, find each other and say so through HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.live import LiveApi
from tests.host.agents import Agent
from tests.host.namespaces import Namespace, connect, namespace
from tests.lab.repositories import Repository
from tests.lab.waiting import until


@pytest.fixture
def networks() -> Iterator[tuple[Namespace, Namespace]]:
    with namespace() as one, namespace() as other:
        connect(one, other)
        yield one, other


def test_agents_list_each_other_only_with_federation(
    networks: tuple[Namespace, Namespace], repository: Repository, tmp_path: Path
) -> None:
    repository.commit({}, "Begin")
    one, other = networks
    first = Agent(one, 8001, repository, tmp_path / "first", "--federation", "on")
    second = Agent(other, 8002, repository, tmp_path / "second", "--federation", "on")
    alone = Agent(other, 8003, repository, tmp_path / "alone")
    until(lambda: first.get("/peers") == ["http://10.99.0.2:8002"], 90, "the first lists the second")
    until(lambda: second.get("/peers") == ["http://10.99.0.1:8001"], 90, "the second lists the first")
    assert until(lambda: alone.get("/peers") == [], 60, "the third answers")
    assert first.get("/peers") == ["http://10.99.0.2:8002"]


def test_federation_is_off_unless_asked_for(api: LiveApi) -> None:
    assert api.client.get("/peers").json() == []
    assert api.client.get("/config/capabilities").json()["federation"] == "off"
