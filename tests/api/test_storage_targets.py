"""What a real nfs-ganesha and a real tgt offer, through the API of an agent that shares a network with nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.agents import Agent
from tests.host.namespaces import Namespace, namespace
from tests.host.storage_network import exported, iscsi, network, start_silent
from tests.lab.repositories import Repository
from tests.lab.waiting import until

__all__ = ["exported", "iscsi", "network"]


TARGETS = "/storageservers/127.0.0.1/storagetargets"
POOL = """\
apiVersion: onggi/v1
kind: StoragePool
metadata: {{name: films}}
spec: {{type: netfs, path: /mnt/films, source: {{host: 127.0.0.1, path: {path!r}}}}}
"""


@pytest.fixture(scope="module")
def agent(
    network: Namespace, exported: list[str], iscsi: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Agent]:
    """With a pool that has the first export."""
    folder = tmp_path_factory.mktemp("agent")
    repository = Repository(folder / "repository")
    repository.commit({"films.yaml": POOL.format(path=exported[0])})
    made = Agent(network, 8001, repository, folder / "state")
    until(lambda: [each["host"] for each in made.get("/storageservers")] == ["127.0.0.1"], 90, "the pool is there")
    yield made


def told(kind: str, names: list[str], host: str = "127.0.0.1") -> list[dict[str, str]]:
    return [{"host": host, "target_type": kind, "target": name} for name in names]


def test_what_a_server_offers_is_listed_apart_from_what_a_pool_has(
    agent: Agent, exported: list[str], iscsi: list[str]
) -> None:
    assert agent.get(f"{TARGETS}?_target_type=netfs") == told("nfs", exported[1:])
    assert agent.get(f"{TARGETS}?_target_type=iscsi") == told("iscsi", iscsi)
    assert agent.get(TARGETS) == [*told("nfs", exported[1:]), *told("iscsi", iscsi)]
    assert agent.get(f"{TARGETS}?_target_type=iscsi&_server_port=3260") == told("iscsi", iscsi)


def test_a_server_that_no_pool_uses_is_asked_by_its_name_or_address(agent: Agent, iscsi: list[str]) -> None:
    found = agent.get("/storageservers/localhost/storagetargets?_target_type=iscsi")
    assert found == told("iscsi", iscsi, "localhost")
    for host in ("::1", "[::1]", "%5B::1%5D"):
        found = agent.get(f"/storageservers/{host}/storagetargets?_target_type=iscsi&_server_port=3261")
        assert found == told("iscsi", iscsi, "::1")


def test_a_server_that_isnt_there_offers_nothing(agent: Agent) -> None:
    assert agent.get(f"{TARGETS}?_target_type=iscsi&_server_port=9") == []
    assert agent.get("/storageservers/192.0.2.1/storagetargets") == []


def test_a_server_that_never_answers_offers_nothing_and_holds_nobody_up(repository: Repository, tmp_path: Path) -> None:
    repository.commit({}, "Begin")
    with namespace() as alone:
        start_silent(alone)
        agent = Agent(alone, 8001, repository, tmp_path / "state")
        until(lambda: agent.get("/storageservers") == [], 90, "the agent answers")
        assert agent.get(f"{TARGETS}?_target_type=netfs") == []
        assert agent.get("/vms")[0]["name"] == "test"
