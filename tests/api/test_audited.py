"""Who did what stands in the audit log, once, with where from and what came of it; no secret ever does."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import libvirt
import pytest

from api.http.audited import Audit
from api.http.session_cookie import COOKIE
from reconciler.identity.role import Role
from reconciler.serving.audit_log import AuditLog
from reconciler.serving.client import Client
from tests.api.consoles import opened, ticket, with_screen
from tests.api.live import LiveApi, live_api
from tests.api.test_oidc import one_provider, provider, served
from tests.api.test_tokens import shown, token_of
from tests.lab.oidc_provider import LyingProvider
from tests.lab.people import ADMIN, VIEWER, logins_of_each_role
from tests.lab.repositories import Repository, git
from tests.lab.screens import GREETING, screen
from tests.lab.waiting import until

__all__ = ["one_provider", "provider"]

HERE = f"user {os.getuid()}"
NETWORK = {"name": "mine", "connection": "isolated"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


@pytest.fixture
def api(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LiveApi]:
    monkeypatch.setattr("api.http.authentication.LEAST_S", 0.0)  # of waiting with a refusal
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", logins=logins_of_each_role(), audit_log=AuditLog(path)) as running:
        yield running


def lines(path: Path, without: tuple[str, ...] = ("time", "seconds")) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]
    assert all("time" in line for line in found)
    return [{name: value for name, value in line.items() if name not in without} for line in found]


def test_a_write_names_who_made_it_from_where_and_its_commit(api: LiveApi, path: Path) -> None:
    headers = {"X-Request-Id": "r-1"}
    assert api.client.post("/networks?x=hidden", json=NETWORK, auth=ADMIN, headers=headers).status_code == 201
    assert api.client.post("/networks", json=NETWORK, auth=VIEWER, headers=headers).status_code == 403
    common = {"event": "write", "peer": HERE, "request": "r-1", "method": "POST", "address": "/networks"}
    commit = git(api.repository.path, "rev-parse", "HEAD").strip()
    assert lines(path) == [
        {**common, "user": "ada", "role": "admin", "status": 201, "commit": commit},
        {**common, "user": "vera", "role": "viewer", "status": 403},
    ]
    assert json.loads(path.read_text().splitlines()[0])["seconds"] >= 0


def test_logging_in_and_out_and_every_refusal_are_written_down(api: LiveApi, path: Path) -> None:
    for name, password in (("ada", "wrong-s3cret"), ("no\nbody\u202e", "x"), ("ada", "decides")):
        answer = api.client.post("/login", json={"username": name, "password": password})
    session = answer.headers["Set-Cookie"].partition(";")[0]
    page = {"Cookie": session, "X-Requested-With": "XMLHttpRequest"}
    assert api.client.post("/logout", json={}, headers=page).status_code == 200
    assert api.client.get("/vms", auth=("otto", "wrong")).status_code == 401
    assert api.client.get("/vms", headers=shown("onggi_wrong-s3cret")).status_code == 401
    assert api.client.post("/vms", json={}).status_code == 401
    assert api.client.get("/vms").status_code == 401
    without = ("time", "seconds", "request", "peer", "method")
    assert lines(path, without) == [
        {"event": "refused", "tried": "ada", "address": "/login", "status": 401},
        {"event": "refused", "tried": "no\nbody\u202e", "address": "/login", "status": 401},
        {"event": "login", "user": "ada", "role": "admin", "address": "/login", "status": 200},
        {"event": "logout", "user": "ada", "role": "admin", "address": "/logout", "status": 200},
        {"event": "refused", "tried": "otto", "address": "/vms", "status": 401},
        {"event": "refused", "tried": "a token", "address": "/vms", "status": 401},
        {"event": "refused", "user": "api", "address": "/vms", "status": 401},
    ]
    secrets = ("s3cret", "decides", "wrong", session.removeprefix(f"{COOKIE}="))
    assert not [secret for secret in secrets if secret in path.read_text()]


def test_a_login_at_a_provider_is_written_down_by_the_name_that_it_vouches_for(
    path: Path, provider: LyingProvider
) -> None:
    with served(provider.issuer, AuditLog(path)) as browser:
        assert browser.log_in(provider).status_code == 200
        assert browser.come_back(code="wrong-s3cret", state="x").status_code == 401
    found = [(line["event"], line.get("user", line.get("tried")), line["address"]) for line in lines(path)]
    back = "/login/oidc/callback"
    assert found == [("login", "kim", back), ("refused", "somebody of the provider's", back)]
    assert "s3cret" not in path.read_text()


def test_a_token_is_written_down_with_its_maker_and_reading_by_it_once(api: LiveApi, path: Path) -> None:
    token = token_of(api.agent.settings.state, Role.ADMIN, "deploy")
    for _ in range(3):
        assert api.client.get("/networks", headers=shown(token)).status_code == 200
    assert api.client.post("/networks", json=NETWORK, headers=shown(token)).status_code == 201
    found = [(line["event"], line["user"], line["token_maker"]) for line in lines(path)]
    assert found == [("read", "token deploy", "boss"), ("write", "token deploy", "boss")]
    assert token[6:20] not in path.read_text()


def test_what_a_task_commits_after_its_answer_is_written_down_too(api: LiveApi, path: Path) -> None:
    pool = {"name": "lab", "type": "dir", "path": "/var/tmp/onggi/lab"}
    assert api.client.post("/storagepools", json=pool, auth=ADMIN).status_code == 201
    assert api.client.post("/storagepools/lab/activate", auth=ADMIN).status_code == 200
    body = {"name": "data.img", "capacity": 1 << 20, "format": "raw"}
    asked = {"auth": ADMIN, "headers": {"X-Request-Id": "r-1"}}
    assert api.client.post("/storagepools/lab/storagevolumes", json=body, **asked).status_code == 202  # type: ignore[arg-type]

    def told() -> list[dict[str, Any]]:
        return [line for line in lines(path) if line.get("commit") and line["request"] == "r-1"]

    until(lambda: len(told()) == 1, 60, "the task's commit is written down")
    head = git(api.repository.path, "rev-parse", "HEAD").strip()
    assert (told()[0]["user"], told()[0]["commit"], told()[0]["address"]) == (
        "ada",
        head,
        "/storagepools/lab/storagevolumes",
    )


def test_a_console_is_written_down_when_it_begins_and_when_it_ends(
    api: LiveApi, path: Path, hand: libvirt.virConnect
) -> None:
    with screen() as drawn:
        with_screen(api, hand, drawn)
        url = ticket(api, auth=ADMIN)
        basic = {"Authorization": httpx.Request("GET", api.url).headers.get("Authorization", "")}
        basic["Authorization"] = next(ADMIN.auth_flow(httpx.Request("GET", api.url))).headers["Authorization"]
        with opened(api, url, headers=basic) as one:
            assert one.recv(60) == GREETING
            assert [line["event"] for line in lines(path)] == ["write", "console"]
        until(lambda: lines(path)[-1]["event"] == "console-end", 60, "it has ended")
    assert [(line["user"], line["address"]) for line in lines(path)] == [
        ("ada", "/vms/byhand/connect"), ("ada", "/vms/byhand/console"), ("ada", "/vms/byhand/console"),
    ]  # fmt: skip
    assert [line.get("machine") for line in lines(path)] == [None, "byhand", "byhand"]
    assert url.partition("ticket=")[2] not in path.read_text()


class Ticks:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_who_is_refused_a_thousand_times_fills_no_disk(path: Path) -> None:
    ticks = Ticks()
    audit = Audit(AuditLog(path), ticks)
    allowed = [audit.allows_refused("192.0.2.1") for _ in range(1000)]
    assert allowed == [True] * 20 + [False] * 980
    assert [audit.allows_refused(f"198.51.100.{number}") for number in range(5)] == [True] * 5
    ticks.now = 61
    assert audit.allows_refused("192.0.2.1")
    assert lines(path) == [{"event": "refused", "left_out": 980, "peers": 6}]


def test_a_client_is_the_same_whoever_writes_down_what_it_does() -> None:
    assert Client("kim", committed=print) == Client("kim")
