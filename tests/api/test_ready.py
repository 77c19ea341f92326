"""Whoever waits for /readyz finds what the first pass made."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from reconciler.loop.agent import Agent
from reconciler.loop.passes import World
from reconciler.settings.settings import Settings
from specs.reference import VIRTUAL_MACHINE
from tests.lab.repositories import Repository

_COUNT = 200


def machines(count: int) -> str:
    return "---\n".join(
        f"apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata: {{name: v{number}}}\n"
        "spec: {memory: 64, cpus: 1, runStrategy: Halted}\n"
        for number in range(count)
    )


def test_an_agent_is_ready_once_its_world_shows_what_the_first_pass_made(
    private_test_uri: str, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit({"machines.yaml": machines(_COUNT)})
    agent = Agent(Settings(repository=str(repository.path), connect=private_test_uri, state=tmp_path / "state"))
    shown: list[World | None] = []  # to clients, at the moment at which the agent says that it is ready
    say = agent.ready.set

    def ready() -> None:
        shown.append(agent.passes.latest)
        say()

    monkeypatch.setattr(agent.ready, "set", ready)
    stop = threading.Event()
    thread = threading.Thread(target=agent.run, args=(stop,))
    thread.start()
    try:
        assert agent.ready.wait(120)
    finally:
        stop.set()
        agent.interrupt()
        thread.join(60)
    (world,) = shown
    assert world is not None
    assert sum(ref.kind == VIRTUAL_MACHINE for ref in world.snapshot.objects) == _COUNT
