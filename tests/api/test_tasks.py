"""/tasks, over HTTP, of a real agent."""

from __future__ import annotations

import threading
from pathlib import Path

import libvirt
import pytest

from reconciler.errors import Cancelled, Terminal
from reconciler.serving.client import Client
from reconciler.serving.tasks import Tell
from tests.api.live import LiveApi, live_api
from tests.lab.repositories import Repository
from tests.lab.waiting import until

_CLIENT = Client("dora", "r1")


def test_a_task_tells_how_far_it_is_and_what_came_of_it(api: LiveApi) -> None:
    go_on = threading.Event()

    def work(tell: Tell, _stop: threading.Event) -> None:
        tell("3/10")
        go_on.wait(60)

    number = str(api.serving.tasks.start("/storagepools/default/storagevolumes/a.iso", work, _CLIENT).id)
    until(lambda: api.client.get(f"/tasks/{number}").json()["message"] == "3/10", 60, "it tells of its progress")
    assert api.client.get(f"/tasks/{number}").json() == {
        "id": number,
        "status": "running",
        "message": "3/10",
        "target_uri": "/storagepools/default/storagevolumes/a.iso",
        "actions": [],
    }
    go_on.set()
    until(lambda: api.client.get(f"/tasks/{number}").json()["status"] == "finished", 60, "it ends")
    assert api.client.get(f"/tasks/{number}").json()["message"] == "OK"


def test_tasks_are_found_by_status_and_by_what_they_work_on(api: LiveApi) -> None:
    def fails(_tell: Tell, _stop: threading.Event) -> None:
        raise Terminal("There is no space for it; make some.")

    tasks = api.serving.tasks
    tasks.start("/vms/web", lambda _tell, _stop: None, _CLIENT)
    tasks.start("/vms/db", lambda _tell, _stop: None, _CLIENT)
    tasks.start("/vms/web", fails, _CLIENT)
    until(lambda: not api.client.get("/tasks?status=running").json(), 60, "all have ended")

    found = api.client.get("/tasks", params={"status": "failed", "target_uri": "/vms/web"}).json()
    assert [task["message"] for task in found] == ["There is no space for it; make some."]
    assert len(api.client.get("/tasks?target_uri=^/vms/web$").json()) == 2
    assert len(api.client.get("/tasks").json()) == 3


def test_a_task_that_isnt_there_is_404(api: LiveApi) -> None:
    for number in ("0", "999", "x", "-1", "1%2F2", "²", "1" * 5000):
        answer = api.client.get(f"/tasks/{number}")
        assert answer.status_code == 404, number
        assert set(answer.json()) == {"code", "reason"}
    assert api.client.get("/tasks/999").json()["reason"].startswith("KCHOBJST0001E: ")


def test_only_so_many_that_have_ended_are_remembered(api: LiveApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.serving.tasks.KEPT_TASKS", 5)
    tasks = api.serving.tasks
    running = tasks.begin("/vms/web", _CLIENT)
    for _ in range(20):
        tasks.end(tasks.begin("/vms/web", _CLIENT).id)
    assert len(tasks.all(_CLIENT)) == 6
    assert tasks.get(str(running.id), _CLIENT).status == "running"


def test_tasks_can_only_be_read(api: LiveApi) -> None:
    answer = api.client.post("/tasks", json={})
    assert (answer.status_code, "GET" in answer.headers["Allow"]) == (405, True)


def test_a_task_that_a_restart_cut_off_has_failed_and_says_so(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path
) -> None:
    repository.commit({}, "Begin")
    begun = threading.Event()

    def work(_tell: Tell, stop: threading.Event) -> None:
        begun.set()
        stop.wait(60)
        raise Cancelled("the agent is stopping")

    with live_api(repository, tmp_path / "state") as first:
        ended = first.serving.tasks.start("/vms/db", lambda _tell, _stop: "done", _CLIENT)
        until(lambda: first.client.get(f"/tasks/{ended.id}").json()["status"] == "finished", 60, "one has ended")
        in_doubt = first.serving.tasks.start("/vms/web", work, _CLIENT)
        assert begun.wait(60)
    with live_api(repository, tmp_path / "state") as second:
        found = {each["id"]: each for each in second.client.get("/tasks").json()}
        assert found[str(ended.id)]["status"] == "finished"
        assert found[str(in_doubt.id)]["status"] == "failed"
        assert "restarted" in found[str(in_doubt.id)]["message"]
        following = second.serving.tasks.start("/vms/next", lambda _tell, _stop: None, _CLIENT)
        assert following.id > in_doubt.id
