"""Two agents, each in a network namespace of its own, find each other and say so through HTTP."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.live import LiveApi
from tests.host.namespaces import Namespace, connect, namespace
from tests.lab.repositories import Repository
from tests.lab.waiting import until

_ASK = (
    "import sys, urllib.request as r; print(r.urlopen(f'http://127.0.0.1:{sys.argv[1]}/{sys.argv[2]}').read().decode())"
)


class Agent:
    """`onggi run` where nobody else can reach it."""

    def __init__(self, network: Namespace, port: int, repository: Repository, state: Path, *more: str) -> None:
        self._network, self._port = network, port
        network.start(
            sys.executable, "-m", "reconciler.cli.main", "run", repository.path, "--connect", "test:///default",
            "--state", state, "--listen", f"127.0.0.1:{port}", "--quiet", *more,
        )  # fmt: skip

    def peers(self) -> list[str]:
        found: list[str] = json.loads(self._network.python(_ASK, str(self._port), "peers"))
        return found


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
    until(lambda: first.peers() == ["http://10.99.0.2:8002"], 90, "the first lists the second")
    until(lambda: second.peers() == ["http://10.99.0.1:8001"], 90, "the second lists the first")
    assert until(lambda: alone.peers() == [], 60, "the third answers")
    assert first.peers() == ["http://10.99.0.2:8002"]


def test_federation_is_off_unless_asked_for(api: LiveApi) -> None:
    assert api.client.get("/peers").json() == []
    assert api.client.get("/config/capabilities").json()["federation"] == "off"
