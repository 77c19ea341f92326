"""A token in the place of a login: it may what its role may, signs what it does, and stands nowhere."""

from __future__ import annotations

import base64
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import libvirt
import pytest

from api.app import create_app
from api.http.endpoint import ANYBODY
from api.server import Server
from api.services import Services
from reconciler.confined.unix_socket import UnixSocket
from reconciler.identity.role import Role
from reconciler.identity.tokens import Tokens, digest_of, new_token
from reconciler.ledger.ledger import Ledger
from tests.api.live import LiveApi, live_api
from tests.api.test_roles import concrete, declared
from tests.lab.other_user import public_folder
from tests.lab.people import ADMIN, logins_of_each_role
from tests.lab.repositories import Repository, git

__all__ = ["public_folder"]

JSON = {"Content-Type": "application/json"}
ROLES = [Role.VIEWER, Role.OPERATOR, Role.ADMIN]


def token_of(state: Path, role: Role, name: str = "") -> str:
    """A new one, as somebody at the command line makes it."""
    token = new_token()
    digest = digest_of(token)
    assert digest is not None
    with Ledger.open(state, readonly=True) as ledger:
        ledger.tokens.make(name or str(role), str(role), maker="boss", lasts=None, digest=digest)
    return token


def shown(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def api(hand: libvirt.virConnect, repository: Repository, tmp_path: Path, public_folder: Path) -> Iterator[LiveApi]:
    repository.commit({}, "Begin")
    unix = UnixSocket(public_folder / "api.sock")
    with live_api(repository, tmp_path / "state", logins=logins_of_each_role(), unix=unix) as running:
        yield running


def test_what_a_token_does_is_its_own_and_names_who_made_it(api: LiveApi) -> None:
    headers = shown(token_of(api.agent.settings.state, Role.ADMIN, "deploy"))
    body = {"name": "mine", "connection": "isolated"}
    assert api.client.post("/networks", json=body, headers=headers).status_code == 201
    told = git(api.repository.path, "log", "-1", "--format=%an%n%ae%n%(trailers)").splitlines()
    assert told[0] == "token deploy" and told[1].startswith("token%20deploy@")
    assert "Onggi-Token-Maker: boss" in told and f"Onggi-Peer: user {os.getuid()}" in told


def test_a_token_counts_before_whatever_else_comes_with_it(api: LiveApi, public_folder: Path) -> None:
    viewer = shown(token_of(api.agent.settings.state, Role.VIEWER))
    body = {"name": "mine", "connection": "isolated"}
    login = {"username": "ada", "password": "decides"}
    session = api.client.post("/login", json=login).headers["Set-Cookie"].partition(";")[0]
    page = {"Cookie": session, "X-Requested-With": "XMLHttpRequest"}
    assert api.client.post("/networks", json=body, headers=page | viewer).status_code == 403
    assert api.client.get("/networks", headers=page | shown(new_token())).status_code == 401
    place = str(public_folder / "api.sock")
    with httpx.Client(base_url="http://localhost", transport=httpx.HTTPTransport(uds=place)) as root:
        assert root.post("/networks", json=body, headers=viewer).status_code == 403
        assert root.get("/networks", headers=viewer).status_code == 200
        assert root.get("/networks", headers=shown(new_token())).status_code == 401
    assert api.log() == []


def test_a_token_is_nowhere_to_be_read(api: LiveApi, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    caplog.set_level(logging.DEBUG)
    state = api.agent.settings.state
    token, revoked = token_of(state, Role.ADMIN, "deploy"), token_of(state, Role.ADMIN, "gone")
    with Ledger.open(state, readonly=True) as ledger:
        ledger.tokens.revoke(2)
    for each in (token, revoked):
        api.client.post("/networks", json={"name": "mine", "connection": "isolated"}, headers=shown(each))
        api.client.post("/networks", content=b"{", headers=shown(each) | JSON)
        api.client.get("/nowhere", headers=shown(each))
    answers = [
        api.client.get(path, auth=ADMIN).text
        for path in ("/events", "/status", "/tasks", "/metrics", "/revisions", "/networks/mine", "/plan", "/drift")
    ]
    assert "token deploy" in git(api.repository.path, "log", "--format=%an")
    files = [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()]
    texts = [caplog.text, *answers, git(api.repository.path, "log", "-p", "--format=raw")]
    for each in (token, revoked):
        for secret in (each[6:30], base64.b64encode(each.encode()).decode()[8:30]):
            assert not [text for text in texts if secret in text]
            assert not [content for content in files if secret.encode() in content]


def test_who_guesses_is_told_to_wait_and_a_right_token_is_not(api: LiveApi) -> None:
    token = token_of(api.agent.settings.state, Role.VIEWER)
    told = [api.client.get("/vms", headers=shown(new_token())).status_code for _ in range(6)]
    assert told == [401] * 5 + [429]
    assert api.client.get("/vms", headers=shown(token)).status_code == 200
    wrong = api.client.get("/vms", headers=shown(token[:-1]))
    assert wrong.status_code == 429 and "try again in" in wrong.json()["reason"]


@pytest.mark.parametrize("with_login", [True, False], ids=["with a login", "without one"])
def test_a_token_may_what_its_role_may(tmp_path: Path, with_login: bool) -> None:
    Ledger.open(tmp_path).close()
    records = Ledger.open(tmp_path, readonly=True).tokens
    services = Services(
        ready=lambda: True, alive=lambda: True, info=dict, tokens=Tokens(records),
        logins=logins_of_each_role() if with_login else None,
    )  # fmt: skip
    tokens = {role: token_of(tmp_path, role) for role in ROLES}
    server = Server(create_app(services), "127.0.0.1:0")
    server.start()
    try:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            for template, endpoint in declared():
                for role, token in tokens.items():
                    headers = JSON | shown(token)
                    got = client.request(endpoint.method, concrete(template), content=b"{", headers=headers).status_code
                    least = endpoint.role
                    few = least is not ANYBODY and role < least
                    # 503: whose a machine is nobody knows here
                    assert got in (403, 503) if few else got not in (401, 403), f"{role}: {endpoint.method} {template}"
            assert client.get("/networks", headers=shown("onggi_x")).status_code == 401
            strange = client.get("/users", headers={"Authorization": "Bearer eyJhbGciOi.another.ones"}).status_code
            assert strange == 401 if with_login else strange not in (401, 403), "others' tokens aren't looked at"
    finally:
        server.stop()
