"""What somebody has begun is theirs and administrators': for everybody else it isn't there, whatever its number is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from reconciler.identity.role import Role
from reconciler.ledger.database import DATABASE_NAME
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.migrations import MIGRATIONS
from reconciler.serving.client import Client
from tests.api.live import LiveApi, live_api
from tests.lab.people import ADMIN, OPERATOR, VIEWER, logins_of_each_role
from tests.lab.repositories import Repository

OTTO = Client("otto", "r1", Role.OPERATOR)
VERA = Client("vera", "r2", Role.VIEWER)
ADA = Client("ada", "r3", Role.ADMIN)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApi]:
    """Where people have to log in."""
    folder = tmp_path_factory.mktemp("owners")
    repository = Repository(folder / "repository")
    repository.commit({}, "Begin")
    with live_api(repository, folder / "state", logins=logins_of_each_role()) as running:
        yield running


def tasks_of(api: LiveApi, who: httpx.BasicAuth, **filters: str) -> set[str]:
    return {task["id"] for task in api.client.get("/tasks", auth=who, params=filters).json()}


def test_a_task_is_there_for_who_began_it_and_for_administrators(api: LiveApi) -> None:
    number = str(api.serving.tasks.begin("/plugins/some/errand", OTTO, message="on the way").id)
    for who in (OPERATOR, ADMIN):
        assert api.client.get(f"/tasks/{number}", auth=who).json()["message"] == "on the way"
        assert number in tasks_of(api, who)
    seen, unknown = (api.client.get(f"/tasks/{each}", auth=VIEWER) for each in (number, "999999"))
    assert (seen.status_code, unknown.status_code) == (404, 404)
    assert seen.json()["reason"] == unknown.json()["reason"].replace("999999", number)


def test_no_role_but_an_administrators_opens_others_tasks(api: LiveApi) -> None:
    number = str(api.serving.tasks.begin("/plugins/some/errand", VERA).id)
    assert api.client.get(f"/tasks/{number}", auth=OPERATOR).status_code == 404
    assert number not in tasks_of(api, OPERATOR)
    assert number in tasks_of(api, VIEWER)


def test_a_filter_does_not_tell_of_others_tasks(api: LiveApi) -> None:
    number = str(api.serving.tasks.begin("/plugins/some/s3cret", OTTO, message="s3cret").id)
    for wanted in ({"id": f"{number}$"}, {"target_uri": ".*s3cret"}, {"message": "s3"}):
        assert tasks_of(api, VIEWER, **wanted) == set()
        assert number in tasks_of(api, OPERATOR, **wanted)


def test_every_number_that_could_be_guessed_is_tried_in_vain(api: LiveApi) -> None:
    newest = max(api.serving.tasks.begin("/plugins/some/errand", who).id for who in (OTTO, ADA))
    own = tasks_of(api, VIEWER)
    for number in map(str, range(newest + 2)):
        assert (api.client.get(f"/tasks/{number}", auth=VIEWER).status_code == 200) == (number in own)


def test_what_was_begun_as_an_administrator_stays_administrators(api: LiveApi) -> None:
    number = str(api.serving.tasks.begin("/host/swupdate", Client("otto", role=Role.ADMIN)).id)
    assert api.client.get(f"/tasks/{number}", auth=OPERATOR).status_code == 404
    assert number in tasks_of(api, ADMIN)


def test_figures_count_all_tasks_and_name_none(api: LiveApi) -> None:
    api.serving.tasks.begin("/plugins/some/s3cret", OTTO, message="s3cret")
    running = len(tasks_of(api, ADMIN, status="running"))
    told = api.client.get("/metrics", auth=VIEWER).text
    assert f'onggi_tasks{{status="running"}} {running}.0' in told
    assert "s3cret" not in told


def test_a_tasks_owner_is_remembered_over_a_restart(tmp_path: Path) -> None:
    with Ledger.open(tmp_path) as ledger:
        begun = ledger.tasks.begin("/vms/web", "OK", OTTO.source, OTTO.owner)
    with Ledger.open(tmp_path) as ledger:
        assert ledger.tasks.all() == [begun]
        assert OTTO.owns(begun.owner) and ADA.owns(begun.owner) and not VERA.owns(begun.owner)


def test_a_task_of_before_owners_were_noted_is_administrators(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / DATABASE_NAME, isolation_level=None) as connection:
        for statements in MIGRATIONS[:12]:
            for statement in statements:
                connection.execute(statement)
        connection.execute("INSERT INTO task VALUES (7, 'finished', 'OK', '/vms/web', 'api:otto', '', '')")
        connection.execute("PRAGMA user_version = 12")
    with Ledger.open(tmp_path) as ledger:
        (task,) = ledger.tasks.all()
    assert (task.id, task.who) == (7, "api:otto")
    assert ADA.owns(task.owner)
    for who in (OTTO, VERA, Client("", role=Role.VIEWER)):
        assert not who.owns(task.owner)
