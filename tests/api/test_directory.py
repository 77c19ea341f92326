"""Users from a real LDAP server through HTTP: ten thousand of them, one of them, and a server that is silent."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import libvirt
import pytest

from reconciler.host import directory
from reconciler.host.directory import LdapAccounts
from reconciler.host.ldap_settings import LdapSettings
from reconciler.serving.host import open_host
from reconciler.settings.settings import Settings
from tests.api.host import harmless_host
from tests.api.live import LiveApi, live_api
from tests.cli.command import Onggi, onggi
from tests.lab.repositories import Repository
from tests.lab.slapd import ADMIN, PASSWORD, PEOPLE, Slapd, person, slapd
from tests.lab.waiting import until

__all__ = ["onggi"]

CROWD = [f"user{number:05}" for number in range(10_000)]


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    with slapd(tmp_path_factory.mktemp("crowd"), map(person, CROWD), more="sizelimit unlimited") as server:
        yield server


@pytest.fixture
def password(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    file.chmod(0o600)
    return file


@pytest.fixture
def api(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path, crowd: Slapd, password: Path
) -> Iterator[LiveApi]:
    """Asks the crowd's server, as the settings say."""
    settings = Settings(
        accounts="ldap",
        ldap_url=crowd.url,
        ldap_search_base=PEOPLE,
        ldap_bind_dn=ADMIN,
        ldap_bind_password_file=password,
    )
    repository.commit({}, "Begin")
    host = harmless_host(tmp_path / "machine", accounts=open_host(settings).accounts)
    with live_api(repository, tmp_path / "state", host=host) as running:
        yield running


def test_all_users_of_a_large_directory_are_listed(api: LiveApi) -> None:
    answer = api.client.get("/users")
    assert answer.json() == CROWD
    assert "Warning" not in answer.headers
    with ThreadPoolExecutor(24) as people:
        answers = list(people.map(lambda _: httpx.get(f"{api.url}/users", timeout=60), range(24)))
    assert [each.json() for each in answers] == [CROWD] * 24


def test_that_there_are_more_is_told(api: LiveApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "MOST_USERS", 1000)
    answer = api.client.get("/users")
    assert len(answer.json()) == 1000
    assert answer.headers["Warning"] == '299 onggi "The directory has more than 1000 users; only these are listed."'


def test_a_user_is_looked_for_by_exactly_this_name(api: LiveApi) -> None:
    found = api.client.get("/users?_user_id=user00042")
    assert found.json() == {"uid": ["user00042"], "cn": ["user00042"], "sn": ["user00042"]}
    for name in ("nobody", "root", "*", "user0004*", "user00042)(uid=*", ""):
        missing = api.client.get("/users", params={"_user_id": name})
        assert missing.status_code == 404
        assert missing.json()["reason"].startswith("KCHAUTH0004E: ")


def test_a_directory_gives_no_groups(api: LiveApi) -> None:
    answer = api.client.get("/groups")
    assert (answer.status_code, answer.json()) == (200, [])
    assert "the system's" in answer.headers["Warning"]


def test_a_machine_is_given_to_users_of_the_directory_alone(api: LiveApi) -> None:
    changed = api.client.put("/vms/test", json={"users": ["user00001", "user09999"]})
    assert changed.status_code == 200, changed.text
    assert changed.json()["users"] == ["user00001", "user09999"]
    for body, code in (
        ({"users": ["user00001", "root"]}, "KCHVM0027E"),
        ({"users": ["user*"]}, "KCHVM0027E"),
        ({"groups": ["root"]}, "KCHVM0028E"),
    ):
        refused = api.client.put("/vms/test", json=body)
        assert refused.status_code == 400
        assert refused.json()["reason"].startswith(f"{code}: ")
    assert api.client.get("/vms/test").json()["users"] == ["user00001", "user09999"]


def test_a_password_that_changes_is_read_anew_and_a_wrong_one_is_nobodys_business(api: LiveApi, password: Path) -> None:
    assert api.client.get("/users?_user_id=user00001").status_code == 200
    password.write_text("s3cret and wrong\n")
    for path in ("/users", "/users?_user_id=user00001"):
        refused = api.client.get(path)
        assert refused.status_code == 503
        assert "check the bind DN and its password" in refused.json()["reason"]
        assert "s3cret" not in refused.text
    password.write_text(PASSWORD)
    assert api.client.get("/users?_user_id=user00001").status_code == 200


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"ldap://127.0.0.1:{server.getsockname()[1]}"


def test_a_silent_directory_keeps_nobody_else_waiting(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path, silent: str
) -> None:
    accounts = LdapAccounts(LdapSettings(silent, PEOPLE, timeout_s=10))
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", host=harmless_host(tmp_path / "m", accounts=accounts)) as api:
        paths = ["/users", "/users?_user_id=maria"] * 20
        ended: list[int] = []

        def ask(path: str) -> None:
            ended.append(httpx.get(f"{api.url}{path}", timeout=60).status_code)

        people = [threading.Thread(target=ask, args=(path,)) for path in paths]
        for each in people:
            each.start()
        until(lambda: len(ended) >= 8, 60, "some of those who look for one user are sent away")
        for path in ("/groups", "/host", "/vms", "/host/partitions", "/config/capabilities"):
            assert api.client.get(path).status_code == 200
        assert len(ended) < len(paths)  # others still wait for the directory
        for each in people:
            each.join(60)
        assert ended == [503] * len(paths)
        assert api.client.put("/vms/test", json={"users": ["maria"]}).status_code == 503
        assert api.log() == []


def test_the_agent_asks_the_directory_that_it_is_told_of(
    onggi: Onggi, repository: Repository, tmp_path: Path, crowd: Slapd, password: Path
) -> None:
    repository.commit({}, "Begin")
    process = onggi.start(
        "run", repository.path, "--connect", "test:///default", "--state", tmp_path / "state",
        "--listen", "127.0.0.1:0", "--accounts", "ldap", "--ldap-search-base", PEOPLE, "--ldap-bind-dn", ADMIN,
        "--ldap-bind-password-file", password, "--ldap-user-filter", "(&(objectClass=person)(uid=%(username)s))",
        ONGGI_LDAP_URL=crowd.url,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        url = next(line for line in process.stderr if "serving on " in line).rpartition(" ")[2].strip()
        until(lambda: httpx.get(f"{url}/healthz").status_code == 200, 60, "the agent is healthy")
        assert httpx.get(f"{url}/users", timeout=60).json() == CROWD
    finally:
        process.kill()
        process.communicate()
