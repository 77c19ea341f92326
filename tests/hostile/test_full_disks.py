"""The disk of the repository or of the agent's state is full: clients are told so soon, and nothing is half-written."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import libvirt
import pytest

from tests.api.conftest import hand
from tests.api.live import LiveApi, live_api
from tests.lab.repositories import Repository, git
from tests.lab.waiting import until

__all__ = ["hand"]


@pytest.fixture
def disks(tmp_path: Path) -> Iterator[Path]:
    """The folders `repository` and `state`, each a disk of its own with 4 MiB."""
    made = [tmp_path / name for name in ("repository", "state")]
    try:
        for folder in made:
            folder.mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=True)
        yield tmp_path
    finally:
        for folder in made:
            subprocess.run(["umount", "--lazy", folder], check=False)


@pytest.fixture
def api(hand: libvirt.virConnect, disks: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveApi]:
    monkeypatch.setattr("reconciler.loop.passes._PATIENCE_S", 0.5)
    repository = Repository(disks / "repository" / "documents")
    repository.commit({}, "Begin")
    with live_api(repository, disks / "state" / "onggi") as running:
        yield running


def fill(disk: Path) -> Path:
    ballast = disk / "ballast"
    with suppress(OSError), ballast.open("wb", 0) as file:
        while True:
            file.write(b"x" * 512)
    return ballast


def body(name: str) -> dict[str, str]:
    return {"name": name, "connection": "isolated"}


def test_a_repository_without_room_is_told_of_and_stays_whole(api: LiveApi, disks: Path) -> None:
    client, before = api.client, git(api.repository.path, "rev-parse", "HEAD")
    ballast = fill(disks / "repository")
    refused = client.post("/networks", json=body("a"))
    assert (refused.status_code, "No space left" in refused.json()["reason"]) == (503, True)
    assert client.get("/networks/default").status_code == 200
    ballast.unlink()
    assert git(api.repository.path, "rev-parse", "HEAD") == before
    assert git(api.repository.path, "status", "--short") == ""
    assert client.post("/networks", json=body("a")).status_code == 201
    git(api.repository.path, "fsck", "--strict")


def test_a_repository_that_is_read_only_is_told_of(api: LiveApi, disks: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", disks / "repository"], check=True)
    refused = api.client.post("/networks", json=body("a"))
    assert (refused.status_code, "Read-only" in refused.json()["reason"]) == (503, True)
    subprocess.run(["mount", "-o", "remount,rw", disks / "repository"], check=True)
    assert api.client.post("/networks", json=body("a")).status_code == 201


def test_a_state_without_room_is_told_of_soon_and_what_was_committed_comes_true_later(
    api: LiveApi, disks: Path
) -> None:
    client = api.client
    ballast = fill(disks / "state")
    refused = client.post("/networks", json=body("a"), timeout=60)
    assert refused.status_code == 503
    assert "is committed" in refused.json()["reason"]
    assert "is full" in refused.json()["reason"]
    for path in ("/networks", "/tasks", "/events", "/status"):
        assert client.get(path).status_code == 200, path
    for path in ("/healthz", "/readyz"):
        unwell = client.get(path)
        assert (unwell.status_code, "is full" in unwell.json()["reason"]) == (503, True)
    ballast.unlink()
    until(lambda: client.get("/networks/a").status_code == 200, 60, "what was committed comes true")
    assert client.get("/healthz").status_code == 200
