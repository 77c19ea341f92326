"""Logging in to the API with accounts of a real LDAP server, and what becomes of who is in when it is gone."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import ldap
import libvirt
import pytest

from reconciler.host.directory import LdapAccounts
from reconciler.host.ldap_settings import LdapSettings
from reconciler.identity.ldap_login import LdapLogins
from reconciler.identity.logins import Logins
from reconciler.identity.role import Role
from tests.api.host import harmless_host
from tests.api.live import LiveApi, live_api
from tests.api.test_login import cookie
from tests.cli.command import Onggi, onggi
from tests.lab.certificates import Authority
from tests.lab.ports import free_port
from tests.lab.repositories import Repository, git
from tests.lab.slapd import ADMIN, GROUPS, PASSWORD, PEOPLE, Slapd, dn_of, group, person, slapd
from tests.lab.waiting import until
from tests.network.misbehaving import misbehaving

__all__ = ["onggi"]

COOKIE = "__Host-onggi"
DECIDERS = f"cn=deciders,{GROUPS}"


@dataclass
class Now:
    """A clock that a test sets."""

    s: float = 1000.0

    def __call__(self) -> float:
        return self.s


@dataclass
class Server:
    """A real server, which may be ended and begun again, and how it is asked."""

    running: Slapd
    settings: LdapSettings

    @contextmanager
    def as_admin(self) -> Iterator[ldap.ldapobject.LDAPObject]:
        connection = ldap.initialize(self.running.url)
        connection.simple_bind_s(ADMIN, PASSWORD)
        try:
            yield connection
        finally:
            connection.unbind_s()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    authority = Authority(tmp_path / "authority")
    certificate, key = authority.issued("server")
    more = f"TLSCertificateFile {certificate}\nTLSCertificateKeyFile {key}\n"
    people = [
        *(person(name, f"of {name}") for name in ("kim", "otto", "vera", "lee", "root")),
        group("deciders", dn_of("kim"), dn_of("root")),
        group("workers", "otto", kind="posixGroup", attribute="memberUid"), group("wheel", dn_of("lee")),
    ]  # fmt: skip
    with slapd(tmp_path / "ldap", people, more) as running:
        yield Server(
            running,
            LdapSettings(
                running.secure_url, PEOPLE, bind_dn=ADMIN, bind_password=lambda: PASSWORD,
                ca_file=authority.certificate, group_base=GROUPS, has_logins=True,
            ),
        )  # fmt: skip


@pytest.fixture
def now() -> Now:
    return Now()


@contextmanager
def api_of(repository: Repository, folder: Path, settings: LdapSettings, now: Now) -> Iterator[LiveApi]:
    repository.commit({}, "Begin")
    groups = {Role.ADMIN: [DECIDERS], Role.OPERATOR: ["workers"]}
    logins = Logins(LdapLogins(settings, [DECIDERS]), groups, now)
    host = harmless_host(folder / "machine", accounts=LdapAccounts(settings))
    with live_api(repository, folder / "state", host=host, logins=logins) as running:
        yield running


@pytest.fixture
def api(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path, server: Server, now: Now,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[LiveApi]:  # fmt: skip
    monkeypatch.setattr("api.http.authentication.LEAST_S", 0.0)  # of waiting with a refusal
    with api_of(repository, tmp_path, server.settings, now) as running:
        yield running


def log_in(api: LiveApi, name: str, password: str) -> httpx.Response:
    return api.client.post("/login", json={"username": name, "password": password})


def session(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 200, answer.text
    return cookie(answer)


def test_people_of_the_directory_work_in_their_own_name_as_their_groups_say(api: LiveApi) -> None:
    answer = log_in(api, "KIM", "of kim")
    assert set(answer.json()["roles"].values()) == {"admin"}
    body = {"name": "mine", "connection": "isolated"}
    assert api.client.post("/networks", json=body, headers=session(answer)).status_code == 201
    assert git(api.repository.path, "log", "-1", "--format=%an").strip() == "kim"
    worker = ("otto", "of otto")
    assert api.client.get("/vms", auth=worker).status_code == 200
    assert api.client.post("/networks", json={"name": "no"}, auth=worker).status_code == 403


def test_who_isnt_proven_is_told_the_same_whoever_that_is(api: LiveApi) -> None:
    told = {
        (answer.status_code, answer.text)
        for answer in (log_in(api, "kim", "wrong"), log_in(api, "nobody", "wrong"), log_in(api, "*", "of kim"))
    }
    assert len(told) == 1 and next(iter(told))[0] == 401
    assert log_in(api, "lee", "of lee").status_code == 403  # of a group that is called as one of this machine's
    assert log_in(api, "root", "of root").status_code == 401  # of this machine alone


def test_a_machine_is_given_to_whom_the_directory_knows(api: LiveApi) -> None:
    kim = ("kim", "of kim")
    assert {"kim", "otto"} < set(api.client.get("/users", auth=kim).json())
    assert {"deciders", "workers"} < set(api.client.get("/groups", auth=kim).json())
    body = {"users": ["otto"], "groups": ["workers"]}
    assert api.client.put("/vms/test", json=body, auth=kim).status_code == 200
    assert api.client.put("/vms/test", json={"groups": ["sudo"]}, auth=kim).status_code == 400


def test_a_session_ends_with_its_account_and_with_its_group(api: LiveApi, server: Server, now: Now) -> None:
    kim, otto = session(log_in(api, "kim", "of kim")), session(log_in(api, "otto", "of otto"))
    with server.as_admin() as admin:
        admin.delete_s(dn_of("otto"))
        admin.modify_s(DECIDERS, [(ldap.MOD_DELETE, "member", [dn_of("kim").encode()])])
    for headers in (kim, otto):
        assert api.client.get("/vms", headers=headers).status_code == 200  # looked at a moment ago
    now.s += 61
    for headers in (kim, otto):
        assert api.client.get("/vms", headers=headers).status_code == 401


def test_nobody_comes_in_while_the_directory_is_down_and_who_is_in_stays(
    api: LiveApi, server: Server, now: Now
) -> None:
    kim = session(log_in(api, "kim", "of kim"))
    assert api.client.get("/vms", auth=("otto", "of otto")).status_code == 200
    server.running.process.terminate()
    server.running.process.wait(timeout=60)
    assert api.client.get("/vms", auth=("otto", "of otto")).status_code == 200  # proven a moment ago
    now.s += 61
    for answer in (log_in(api, "kim", "of kim"), api.client.get("/vms", auth=("otto", "of otto"))):
        assert answer.status_code == 503
        assert "nobody can log in" in answer.text and "127.0.0.1" not in answer.text
        assert "Set-Cookie" not in answer.headers
    assert api.client.get("/vms", headers=kim).status_code == 200


def test_a_directory_that_hangs_keeps_nobody_waiting_but_who_logs_in(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path, server: Server, now: Now
) -> None:
    over = threading.Event()

    def hang(connection: socket.socket) -> None:
        over.wait(60)
        connection.close()

    with misbehaving(hang) as hanging:
        both = f"{server.settings.url} ldaps://127.0.0.1:{hanging.port}"
        settings = LdapSettings(
            both, PEOPLE, ca_file=server.settings.ca_file, bind_dn=ADMIN, bind_password=lambda: PASSWORD,
            group_base=GROUPS, has_logins=True, timeout_s=60,
        )  # fmt: skip
        with api_of(repository, tmp_path, settings, now) as api:
            kim = session(log_in(api, "kim", "of kim"))
            server.running.process.terminate()
            server.running.process.wait(timeout=60)
            told: list[int] = []

            def ask() -> None:
                told.append(log_in(api, "vera", "x").status_code)

            people = [threading.Thread(target=ask) for _ in range(24)]
            for each in people:
                each.start()
            until(lambda: hanging.came > 0, 60, "somebody waits for the server")
            for path in ("/vms", "/networks", "/tasks"):
                assert api.client.get(path, headers=kim).status_code == 200
            assert api.client.get("/healthz").status_code == 200
            assert len(told) < len(people)
            over.set()
            for each in people:
                each.join(60)
            assert told == [503] * len(people)


def test_the_agent_lets_in_whom_the_directory_knows(
    onggi: Onggi, repository: Repository, tmp_path: Path, server: Server
) -> None:
    repository.commit({}, "Begin")
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    password.chmod(0o600)
    process = onggi.start(
        "run", repository.path, "--connect", "test:///default", "--state", tmp_path / "state",
        "--listen", "127.0.0.1:0", "--auth", "ldap",
        "--ldap-url", f"ldaps://127.0.0.1:{free_port()} {server.settings.url}", "--ldap-search-base", PEOPLE,
        "--ldap-ca-file", server.settings.ca_file, "--ldap-bind-dn", ADMIN, "--ldap-bind-password-file", password,
        "--ldap-group-base", GROUPS, "--admin-group", DECIDERS, "--operator-group", "workers",
    )  # fmt: skip
    try:
        assert process.stderr is not None
        url = next(line for line in process.stderr if "serving on " in line).rpartition(" ")[2].strip()
        until(lambda: httpx.get(f"{url}/healthz").status_code == 200, 60, "the agent is healthy")
        assert "kim" in httpx.get(f"{url}/users", auth=("kim", "of kim"), timeout=60).json()
        assert httpx.get(f"{url}/users", auth=("otto", "of otto"), timeout=60).status_code == 403
        assert httpx.get(f"{url}/vms", auth=("kim", "wrong"), timeout=60).status_code == 401
        assert httpx.get(f"{url}/config/capabilities", timeout=60).json()["auth"] == "ldap"
    finally:
        process.kill()
        process.communicate()
