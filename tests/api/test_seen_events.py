"""Events tell a user of the machines that are theirs, now and under their eyes, and of nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx
import pytest

from reconciler.identity.role import Role
from reconciler.serving.client import Client
from reconciler.writing.changes import Documents, Put
from specs.reference import VIRTUAL_MACHINE, Ref
from tests.api.live import LiveApi
from tests.api.own_machines import document, peopled
from tests.api.test_events import Follower, following
from tests.api.test_login import cookie
from tests.lab import people
from tests.lab.people import ADMIN, OPERATOR, OTHER, USER, VIEWER, proof
from tests.lab.waiting import until

TOUCHES = count()
UMA = Client("uma", "r1", Role.USER, frozenset({"people", "makers"}))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApi]:
    with peopled(tmp_path_factory.mktemp("seen")) as running:
        yield running


@pytest.fixture
def api(whole: LiveApi) -> LiveApi:
    return whole


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accounts are looked at again each time."""
    monkeypatch.setattr("reconciler.identity.logins._LOOK_AGAIN_S", 0.0)
    monkeypatch.setattr("reconciler.identity.logins.Logins.remembered", lambda *_: None)
    monkeypatch.setattr("api.http.authentication.LEAST_S", 0.0)
    monkeypatch.setattr("api.http.standing.AGAIN_S", 0.0)


def told(api: LiveApi, somebody: httpx.BasicAuth, /, **query: str) -> list[dict[str, Any]]:
    answer = api.client.get("/events", auth=somebody, params={"limit": "1000", **query})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def touch(api: LiveApi, name: str) -> None:
    """Something happens to a machine, of which an event tells."""
    assert api.client.put(f"/vms/{name}", json={"description": f"touched {next(TOUCHES)} times"}).status_code == 200


def give(api: LiveApi, name: str, **access: list[str]) -> None:
    """Commit whose a machine is, and wait until that is in force."""
    ref = Ref(VIRTUAL_MACHINE, name)

    def given(documents: Documents) -> list[Put]:
        found = api.serving.document(ref, documents)
        return [Put(ref, {**found, "spec": {**found["spec"], "access": access}})]

    api.serving.changes.make(given, f"Give {name} to others", Client("ada"), [ref])


def session_of(api: LiveApi, username: str, password: str) -> dict[str, str]:
    answer = httpx.post(f"{api.url}/login", json={"username": username, "password": password})
    assert answer.status_code == 200, answer.text
    return cookie(answer)


def subjects(follower: Follower) -> set[str]:
    return {event["name"] for _, event in follower.events}


def test_a_list_tells_a_user_of_their_own_machines_alone(api: LiveApi) -> None:
    assert {event["name"] for event in told(api, USER)} == {"hers", "theirs"}
    assert {event["kind"] for event in told(api, USER)} == {"VirtualMachine"}
    assert told(api, OTHER) == []
    for who in (VIEWER, OPERATOR, ADMIN):
        assert {"hers", "zebra", "nobodys"} <= {event["name"] for event in told(api, who)}


@pytest.mark.parametrize("query", ["name=zebra", "kind=StorageVolume", "message=.*zebra", "who=.*", "limit=1"])
def test_a_filter_is_no_oracle(api: LiveApi, query: str) -> None:
    assert api.client.get(f"/events?{query}", auth=OTHER).json() == []
    assert "zebra" not in api.client.get(f"/events?{query}", auth=USER).text


def test_from_where_others_ask_is_for_administrators_to_know(api: LiveApi) -> None:
    api.task(api.client.post("/vms/hers/snapshots", json={"name": "by ada"}))
    assert any(event["peer"] for event in told(api, ADMIN, name="hers"))
    for who in (USER, VIEWER, OPERATOR):
        assert not any(event["peer"] or event["requestId"] for event in told(api, who, who="api:ada"))


def test_a_stream_tells_a_user_of_their_own_machines_alone(api: LiveApi) -> None:
    with following(api, headers=proof(USER)) as theirs, following(api, headers=proof(VIEWER)) as all_of_them:
        touch(api, "zebra")
        touch(api, "hers")
        until(lambda: "hers" in subjects(theirs), 60, "it tells")
        until(lambda: {"hers", "zebra"} <= subjects(all_of_them), 60, "it tells")
        assert subjects(theirs) == {"hers"}


def test_where_a_stream_goes_on_it_tells_nothing_else_either(api: LiveApi) -> None:
    with following(api, headers=proof(USER) | {"Last-Event-ID": "0"}) as follower:
        until(lambda: len(follower.events) >= len(told(api, USER)), 60, "all of it has come")
        assert subjects(follower) <= {"hers", "theirs"}


def test_a_machine_that_is_taken_from_somebody_goes_from_their_open_stream(api: LiveApi) -> None:
    with following(api, headers=proof(USER)) as follower:
        give(api, "theirs", groups=["strangers"])
        before = [event["name"] for _, event in follower.events].count("theirs")
        touch(api, "theirs")
        touch(api, "hers")
        until(lambda: "hers" in subjects(follower), 60, "it goes on telling of what is theirs")
        assert [event["name"] for _, event in follower.events].count("theirs") == before
        give(api, "theirs", groups=["makers"])
        touch(api, "theirs")
        until(lambda: follower.events[-1][1]["name"] == "theirs", 60, "it is theirs again")


def test_a_stream_ends_with_its_session(api: LiveApi) -> None:
    session = session_of(api, "uma", "owns")
    with following(api, headers=session) as follower:
        assert httpx.post(f"{api.url}/logout", headers=session).status_code == 200
        assert follower.ended.wait(60)
    assert follower.events == []


def test_a_stream_does_not_keep_its_session_from_growing_old(api: LiveApi, monkeypatch: pytest.MonkeyPatch) -> None:
    session = session_of(api, "uma", "owns")
    with following(api, headers=session) as follower:
        monkeypatch.setattr("reconciler.identity.sessions.IDLE_S", 0.5)
        assert follower.ended.wait(60)


@pytest.mark.parametrize(
    "by", [lambda api: session_of(api, "uma", "owns"), lambda _: proof(USER)], ids=["session", "basic"]
)
@pytest.mark.parametrize(
    "account",
    [
        ("owns", {"lookers"}),
        ("owns", set()),
        None,
    ],
    ids=["another role", "no role", "gone"],
)
def test_a_stream_ends_with_the_role_and_with_the_account(
    api: LiveApi, monkeypatch: pytest.MonkeyPatch, at_once: None, by: Any, account: Any
) -> None:
    with following(api, headers=by(api)) as follower:
        if account is None:
            monkeypatch.delitem(people._PASSWORDS, "uma")
        else:
            monkeypatch.setitem(people._PASSWORDS, "uma", account)
        assert follower.ended.wait(60)


def test_a_group_that_somebody_leaves_takes_its_machines_from_their_stream(
    api: LiveApi, monkeypatch: pytest.MonkeyPatch, at_once: None
) -> None:
    with following(api, headers=session_of(api, "uma", "owns")) as follower:
        monkeypatch.setitem(people._PASSWORDS, "uma", ("owns", {"people"}))
        touch(api, "theirs")
        touch(api, "hers")
        until(lambda: "hers" in subjects(follower), 60, "it goes on")
        assert "theirs" not in subjects(follower)


def test_who_gets_a_machine_of_an_old_name_reads_nothing_of_the_one_before_it(api: LiveApi) -> None:
    api.repository.remove("zebra.yaml")
    api.agent.fetch_now()
    until(lambda: api.client.get("/vms/zebra").status_code == 404, 60, "it is gone")
    before = {event["message"] for event in told(api, ADMIN, name="zebra$", kind="VirtualMachine")}
    api.repository.commit({"zebra.yaml": document("zebra", "{users: [uma]}")})
    api.agent.fetch_now()
    until(lambda: any(event["name"] == "zebra" for event in told(api, USER)), 60, "the new one is there")
    seen = [event["result"] for event in told(api, USER, name="zebra$")]
    assert seen[0] == "created" and "deleted" not in seen
    assert len(before) > len(seen)
    with following(api, headers=proof(USER) | {"Last-Event-ID": "0"}) as follower:
        until(lambda: "zebra" in subjects(follower), 60, "it is told of")
        assert next(event["result"] for _, event in follower.events if event["name"] == "zebra") == "created"


def test_revisions_count_for_a_user_what_was_done_to_their_machines(api: LiveApi) -> None:
    def steps(who: httpx.BasicAuth) -> int:
        return sum(int(each["steps"]) for each in api.client.get("/revisions", auth=who).json())

    assert 0 < steps(USER) < steps(ADMIN)
    assert [each["inForce"] for each in api.client.get("/revisions", auth=OTHER).json()] == [True]


def test_figures_of_the_host_are_not_for_users(api: LiveApi) -> None:
    assert api.client.get("/metrics", auth=USER).status_code == 403


def test_a_task_about_a_machine_that_is_not_somebodys_any_more_is_not_there(api: LiveApi) -> None:
    tasks = api.serving.tasks
    hers, lost = (str(tasks.begin(f"/vms/{name}/snapshots/a", UMA).id) for name in ("hers", "nobodys"))
    assert api.client.get(f"/tasks/{hers}", auth=USER).json()["target_uri"] == "/vms/hers/snapshots/a"
    gone, unknown = (api.client.get(f"/tasks/{number}", auth=USER) for number in (lost, "999999"))
    assert (gone.status_code, unknown.status_code) == (404, 404)
    assert gone.json()["reason"] == unknown.json()["reason"].replace("999999", lost)
    assert [task["id"] for task in api.client.get("/tasks", auth=USER).json()] == [hers]
    assert {hers, lost} <= {task["id"] for task in api.client.get("/tasks").json()}


def test_a_tasks_message_does_not_name_anothers_machine(api: LiveApi) -> None:
    tasks = api.serving.tasks
    number = tasks.begin("/vms/hers/snapshots/b", UMA).id
    tasks.end(number, "The disk is used by the machine nobodys; stop it first.")
    assert "nobodys" not in api.client.get(f"/tasks/{number}", auth=USER).text
    assert api.client.get("/tasks?message=.*nobodys", auth=USER).json() == []
    assert "nobodys" in api.client.get(f"/tasks/{number}").text


def test_a_sentence_about_ones_own_machine_does_not_name_one_that_is_gone(api: LiveApi) -> None:
    history = api.serving.ledger.history
    history.warn(Ref(VIRTUAL_MACHINE, "vanished"), "deleted", "it went", "r")
    history.warn(Ref(VIRTUAL_MACHINE, "hers"), "skipped", "the device is in use by vanished", "r")
    assert "vanished" in {word for event in told(api, VIEWER) for word in event["message"].split()}
    assert "vanished" not in api.client.get("/events?limit=1000", auth=USER).text
    assert told(api, USER, message=".*vanished") == []
