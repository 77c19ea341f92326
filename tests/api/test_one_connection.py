"""What a connection remembers of its last request lets nobody in whom the next one doesn't prove."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import libvirt
import pytest

from api.http.session_cookie import COOKIE
from reconciler.identity.identity import Identity
from reconciler.identity.logins import Logins
from reconciler.identity.role import Role
from reconciler.identity.sessions import IDLE_S, LoggedIn
from tests.api.live import live_api
from tests.lab.people import logins_of_each_role
from tests.lab.repositories import Repository

PLAN = "/plan"  # which administrators read, and viewers don't


@pytest.fixture
def logins() -> Logins:
    return logins_of_each_role()


@pytest.fixture
def connection(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path, logins: Logins
) -> Iterator[HTTPConnection]:
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", logins=logins) as api:
        made = HTTPConnection(api.url.removeprefix("http://"), timeout=60)
        yield made
        made.close()


def session(logins: Logins, name: str, role: Role) -> str:
    return logins.sessions.open(LoggedIn(Identity(name), role))


def asked(connection: HTTPConnection, *tokens: str, method: str = "GET", path: str = PLAN, **headers: str) -> int:
    if tokens:
        headers["Cookie"] = "; ".join(f"{COOKIE}={token}" for token in tokens)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def test_each_request_is_its_own_sessions(connection: HTTPConnection, logins: Logins) -> None:
    ada, vera = session(logins, "ada", Role.ADMIN), session(logins, "vera", Role.VIEWER)
    assert [asked(connection, each) for each in (ada, ada, vera, vera, ada)] == [200, 200, 403, 403, 200]
    assert asked(connection) == 401, "without a cookie it is nobody's"
    assert asked(connection, ada) == 200
    assert asked(connection, ada, vera) == 401, "and with two"
    assert asked(connection, ada) == 200
    wrong = base64.b64encode(b"ada:wrong").decode()
    assert asked(connection, ada, Authorization=f"Basic {wrong}") == 401, "a password says who it is"
    assert asked(connection, ada, Authorization="Bearer onggi_x") == 401, "and so does a token"
    assert asked(connection, ada, method="POST", path="/networks") == 403, "a write has to show where it comes from"
    assert asked(connection, ada) == 200


def test_a_session_that_is_over_is_so_on_its_connection_too(
    connection: HTTPConnection, logins: Logins, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, other = session(logins, "ada", Role.ADMIN), session(logins, "ada", Role.ADMIN)
    assert asked(connection, ada) == 200
    logins.sessions.close(ada)
    assert asked(connection, ada) == 401
    assert asked(connection, other) == 200
    logins.sessions.end_of("ada")
    assert asked(connection, other) == 401
    third = session(logins, "ada", Role.ADMIN)
    assert asked(connection, third) == 200
    before = logins.sessions._now
    monkeypatch.setattr(logins.sessions, "_now", lambda: before() + IDLE_S + 1)
    assert asked(connection, third) == 401
