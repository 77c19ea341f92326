"""/tasks in Kimchi's words: what takes long, and how it ended."""

from __future__ import annotations

from tests.api.kimchi.words import Kimchi

VOLUMES = "/storagepools/default/storagevolumes"


def test_every_field_and_filter(kimchi: Kimchi) -> None:
    assert kimchi.read("/tasks") == []
    for name in ("a.img", "b.img"):
        kimchi.task(VOLUMES, {"name": name, "capacity": 1 << 20, "format": "raw"})
    first, second = kimchi.read("/tasks")
    assert first.keys() - {"actions"} == {"id", "status", "message", "target_uri"}
    assert (first["status"], first["target_uri"], first["actions"]) == ("finished", f"{VOLUMES}/a.img", [])
    assert kimchi.read(f"/tasks/{second['id']}") == second
    assert kimchi.read("/tasks", status="finished") == [first, second]
    assert kimchi.read("/tasks", status="finished", target_uri=f"{VOLUMES}/b.img") == [second]
    assert kimchi.read("/tasks", id=first["id"]) == [first]
    assert kimchi.read("/tasks", status="running") == []


def test_a_task_that_fails_says_why(kimchi: Kimchi) -> None:
    kimchi.write("POST", "/templates", {"name": "t", "netboot": True}, 201)
    answers = [kimchi.send("POST", "/vms", {"name": "web", "template": "/templates/t"}) for _ in range(2)]
    assert answers[0].status_code == 202
    if answers[1].status_code == 202:
        ends = [kimchi.api.task(each) for each in answers]
        assert sorted(each["status"] for each in ends) == ["failed", "finished"]


def test_every_documented_error(kimchi: Kimchi) -> None:
    assert kimchi.refusal("GET", "/tasks/999") == "404 KCHOBJST0001E"
    for method in ("POST", "PUT", "DELETE"):
        assert kimchi.send(method, "/tasks", {}).status_code == 405
