"""Agents that race for one state: one gets it, the others say so and touch nothing."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from reconciler.ledger.lock import StateFolder
from tests.cli.command import Onggi
from tests.lab.repositories import Repository
from tests.lab.waiting import until

AGENTS = 3


@pytest.fixture
def onggi(tmp_path: Path) -> Onggi:
    return Onggi(tmp_path / "home")


def test_of_agents_that_start_at_once_one_works(
    onggi: Onggi, repository: Repository, private_test_uri: str, tmp_path: Path
) -> None:
    network = "apiVersion: onggi/v1\nkind: Network\nmetadata: {name: lan}\nspec: {mode: isolated}\n"
    repository.commit({"lan.yaml": network})
    state = tmp_path / "state"
    words = ("run", repository.path, "--connect", private_test_uri, "--state", state)
    agents = [onggi.start(*words) for _ in range(AGENTS)]
    try:
        until(lambda: sum(agent.poll() is not None for agent in agents) == AGENTS - 1, 120, "all but one have ended")
        (winner,) = [agent for agent in agents if agent.poll() is None]
        assert StateFolder.holder(state) == winner.pid
        for loser in agents:
            if loser is not winner:
                assert loser.returncode != 0
                assert "is in use by another onggi" in loser.communicate(timeout=60)[1]
    finally:
        for agent in agents:
            _end(agent)
    StateFolder.open(state, exclusive=True).close()


def _end(agent: subprocess.Popen[str]) -> None:
    if agent.poll() is None:
        agent.send_signal(signal.SIGTERM)
    agent.communicate(timeout=60)
