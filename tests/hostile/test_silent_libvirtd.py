"""libvirtd hangs instead of dying: the agent can't do its work then, and says what it waits for."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

import reconciler.loop.silence
from tests.hostile.commands import onggi
from tests.hostile.documents import vm
from tests.hostile.private_libvirtd import PrivateLibvirtd, private_libvirtd
from tests.lab.repositories import Repository
from tests.lab.waiting import until
from tests.stories.agents import running_agent

__all__ = ["private_libvirtd"]  # a fixture


def test_a_libvirtd_that_has_stopped_to_answer_is_told_and_work_goes_on_once_it_does(
    private_libvirtd: PrivateLibvirtd, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciler.loop.silence, "_PATIENCE_S", 1.0)
    state = tmp_path / "state"

    def told() -> str:
        return onggi("status", "--state", state).stdout

    repository.commit({"web.yaml": vm("web")})
    with running_agent(repository.path, private_libvirtd.uri, state):
        os.kill(private_libvirtd.process_id, signal.SIGSTOP)
        try:
            repository.commit({"db.yaml": vm("db")})
            until(lambda: "Waiting: " in told(), 30, "what it waits for is told")
            assert f"{private_libvirtd.uri} was asked to" in told()
            assert "hasn't answered" in told()
            listed = onggi("get", "vm", "--state", state)
            assert (listed.returncode, "web" in listed.stdout) == (0, True), "the rest is told as before"
        finally:
            os.kill(private_libvirtd.process_id, signal.SIGCONT)
        until(lambda: sorted(private_libvirtd.names()) == ["db", "web"], 60, "what was committed meanwhile is done")
        until(lambda: "Waiting: " not in told(), 30, "it is told no more")
