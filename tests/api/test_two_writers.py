"""A colleague pushes YAML while clients write through the API: nothing is lost, and history is one line."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import libvirt
import pytest

from tests.api.live import LiveApi, live_api
from tests.lab.repositories import ENVIRONMENT, Repository, git
from tests.lab.waiting import until

ROUNDS = 200
NETWORK = "apiVersion: onggi/v1\nkind: Network\nmetadata:\n  name: {name}\nspec:\n  mode: isolated\n  active: false\n"


@pytest.fixture
def api(hand: libvirt.virConnect, pushed_repository: Repository, tmp_path: Path) -> Iterator[LiveApi]:
    url = f"file://{tmp_path / 'remote.git'}"
    with live_api(pushed_repository, tmp_path / "state", source=url, interval_s=1.0) as running:
        yield running


def push(repository: Repository) -> None:
    """As a person does: pull and try again when somebody was faster."""
    for _ in range(50):
        done = subprocess.run(
            ["git", "push", "--quiet", "origin", "main"], cwd=repository.path, env=ENVIRONMENT, capture_output=True
        )
        if done.returncode == 0:
            return
        git(repository.path, "pull", "--quiet", "--rebase", "origin", "main")
    raise AssertionError("fifty others were faster")


def test_two_writers_lose_nothing(api: LiveApi, hand: libvirt.virConnect, tmp_path: Path) -> None:
    failures: list[str] = []
    start = threading.Barrier(2, timeout=60)  # of each round, so that both really are at it at once

    def colleague() -> None:
        try:
            for number in range(ROUNDS):
                name = f"push-{number}"
                api.repository.commit({f"networks/{name}.yaml": NETWORK.format(name=name)}, f"Push {number}")
                start.wait()
                push(api.repository)
        except BaseException as error:
            failures.append(repr(error))
            start.abort()

    def client() -> None:
        with httpx.Client(base_url=api.url, timeout=120) as rest:
            for number in range(ROUNDS):
                start.wait()
                answer = rest.post("/networks", json={"name": f"rest-{number}", "connection": "isolated"})
                if answer.status_code != 201:
                    failures.append(answer.text)

    writers = [threading.Thread(target=colleague), threading.Thread(target=client)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert not failures

    wanted = {f"{who}-{number}" for who in ("push", "rest") for number in range(ROUNDS)}
    remote = tmp_path / "remote.git"
    files = set(git(remote, "ls-tree", "-r", "--name-only", "main").splitlines())
    assert files == {f"networks/{name}.yaml" for name in wanted}
    assert git(remote, "rev-list", "--merges", "main") == ""
    subjects = git(remote, "log", "--format=%s", "main").splitlines()
    assert len(subjects) == 2 * ROUNDS + 1
    assert len(set(subjects)) == len(subjects)

    def host() -> set[str]:
        return {network.name() for network in hand.listAllNetworks()} - {"default"}

    until(lambda: host() == wanted, 60, "the host is as the repository says")

    def shown() -> set[str]:
        return {each["name"] for each in api.client.get("/networks").json()} - {"default"}

    until(lambda: shown() == wanted, 60, "and the API shows it once it has looked")


def test_the_same_field_changed_by_both_is_a_conflict_and_the_colleague_wins(api: LiveApi) -> None:
    api.client.post("/networks", json={"name": "lab", "connection": "isolated"})
    git(api.repository.path, "pull", "--quiet", "--rebase", "origin", "main")
    file = api.repository.path / "networks/lab.yaml"
    stale = api.client.get("/networks/lab").headers["ETag"]
    file.write_text(file.read_text().replace("autostart: true", "autostart: false"))
    git(api.repository.path, "commit", "--quiet", "--all", "--message", "Mine")
    push(api.repository)
    until(lambda: not api.client.get("/networks/lab").json()["autostart"], 60, "the colleague's change is there")
    assert api.client.post("/networks/lab/activate", headers={"If-Match": stale}).status_code == 412
    assert api.client.post("/networks/lab/activate").json()["autostart"] is False
