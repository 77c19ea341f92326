"""Logging in with accounts of this machine, by PAM: the accounts are real, and removed again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import libvirt
import pytest

from api.app import create_app
from api.http.discovery import resource_classes
from api.http.endpoint import ANYBODY, endpoints
from api.server import Server
from api.services import Services
from reconciler.confined.unix_socket import UnixSocket
from reconciler.errors import Transient
from reconciler.identity.logins import Logins
from reconciler.identity.pam import PamAccounts, PamChildren
from reconciler.identity.role import Role
from tests.api.live import LiveApi, live_api
from tests.lab.accounts import PASSWORD, Account, a_group, a_pam_service, an_account
from tests.lab.other_user import public_folder
from tests.lab.repositories import Repository, git

__all__ = ["public_folder"]

COOKIE = "__Host-onggi"


@pytest.fixture(scope="module")
def admins() -> Iterator[str]:
    with a_group() as name:
        yield name


@pytest.fixture(scope="module")
def kim(admins: str) -> Iterator[Account]:
    with an_account(admins) as account:
        yield account


@pytest.fixture(scope="module")
def lee() -> Iterator[Account]:
    """Who has an account on the host, and nothing to do here."""
    with an_account() as account:
        yield account


class Now:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.s = 1000.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture(scope="module")
def accounts() -> Iterator[PamAccounts]:
    with a_pam_service() as service:
        made = PamAccounts(PamChildren(service))
        yield made
        made.close()


@pytest.fixture
def logins(admins: str, accounts: PamAccounts, now: Now, monkeypatch: pytest.MonkeyPatch) -> Logins:
    monkeypatch.setattr("api.http.authentication.LEAST_S", 0.0)  # of waiting with a refusal
    return Logins(accounts, {Role.ADMIN: [admins]}, now)


@pytest.fixture
def api(hand: libvirt.virConnect, repository: Repository, tmp_path: Path, logins: Logins) -> Iterator[LiveApi]:
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", logins=logins) as running:
        yield running


def log_in(api: LiveApi, name: str, password: str = PASSWORD, **headers: str) -> httpx.Response:
    return api.client.post("/login", json={"username": name, "password": password}, headers=headers)


def cookie(answer: httpx.Response) -> dict[str, str]:
    """The headers of a page's request with the session that an answer gave."""
    value = answer.headers["Set-Cookie"].partition(";")[0]
    return {"Cookie": value, "X-Requested-With": "XMLHttpRequest"}


def test_who_logs_in_works_in_their_own_name_until_they_log_out(api: LiveApi, kim: Account, admins: str) -> None:
    answer = log_in(api, kim.name)
    assert answer.status_code == 200
    assert answer.json()["username"] == kim.name and admins in answer.json()["groups"]
    assert set(answer.json()["roles"].values()) == {"admin"}
    session, forgery = answer.headers.get_list("Set-Cookie")
    attributes = {part.strip() for part in session.split(";")[1:]}
    assert attributes == {"Path=/", "Secure", "HttpOnly", "SameSite=Strict"}
    assert forgery == f"__Host-onggi-csrf={answer.json()['csrf_token']}; Path=/; Secure; SameSite=Strict"
    session = cookie(answer)
    body = {"name": "mine", "connection": "isolated"}
    assert api.client.post("/networks", json=body, headers=session).status_code == 201
    assert git(api.repository.path, "log", "-1", "--format=%an").strip() == kim.name
    assert api.client.post("/logout", json={}, headers=session).status_code == 200
    assert api.client.get("/networks", headers=session).status_code == 401


def test_a_password_may_come_with_each_request(api: LiveApi, kim: Account) -> None:
    assert api.client.get("/vms", auth=(kim.name, PASSWORD)).status_code == 200
    refused = api.client.get("/vms", auth=(kim.name, "wrong"))
    assert (refused.status_code, refused.json()["reason"][:12]) == (401, "KCHAUTH0001E")
    assert refused.headers["WWW-Authenticate"].startswith("Basic ")
    quiet = api.client.get("/vms", headers={"X-Requested-With": "XMLHttpRequest"})
    assert quiet.status_code == 401 and "WWW-Authenticate" not in quiet.headers


def test_an_unknown_user_a_wrong_password_and_an_empty_one_get_the_same_answer(api: LiveApi, kim: Account) -> None:
    told = {
        (answer.status_code, answer.text)
        for answer in (
            log_in(api, kim.name, "wrong"),
            log_in(api, "nobody-of-that-name", "wrong"),
            log_in(api, "root", "x"),
        )
    }
    assert len(told) == 1 and next(iter(told))[0] == 401
    assert log_in(api, kim.name, "").status_code == 400


def test_an_account_without_a_role_is_let_in_nowhere(api: LiveApi, lee: Account) -> None:
    for answer in (log_in(api, lee.name), api.client.get("/vms", auth=(lee.name, PASSWORD))):
        assert answer.status_code == 403
        assert "no role" in answer.json()["reason"]


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "-rf", "../../etc", "\ud800", "kim\n", "%s%n", " "])
def test_odd_names_and_passwords_are_nobodys(api: LiveApi, name: str) -> None:
    body = b'{"username": %s, "password": "p\\u0000q"}' % repr_json(name)
    answer = api.client.post("/login", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 401), answer.text


def repr_json(text: str) -> bytes:
    return ('"' + "".join(f"\\u{ord(sign):04x}" for sign in text) + '"').encode()


def test_a_session_that_somebody_else_has_set_is_never_ones_own(api: LiveApi, kim: Account) -> None:
    fixed = {"Cookie": f"{COOKIE}=chosen-by-an-attacker"}
    answer = log_in(api, kim.name, **fixed)
    assert cookie(answer)["Cookie"] != fixed["Cookie"]
    assert api.client.get("/vms", headers=fixed).status_code == 401
    two = {"Cookie": f"{COOKIE}=chosen-by-an-attacker; {cookie(answer)['Cookie']}"}
    assert api.client.get("/vms", headers=two).status_code == 401


def test_logging_in_again_ends_the_session_that_was_there(api: LiveApi, kim: Account) -> None:
    before = cookie(log_in(api, kim.name))
    after = cookie(log_in(api, kim.name, **before))
    assert api.client.get("/vms", headers=before).status_code == 401
    assert api.client.get("/vms", headers=after).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}],
    ids=["a form without a word", "another origin", "another site"],
)
def test_no_other_page_can_use_a_session(api: LiveApi, kim: Account, headers: dict[str, str]) -> None:
    session = {"Cookie": cookie(log_in(api, kim.name))["Cookie"]}
    body = {"name": "forged", "connection": "isolated"}
    assert api.client.post("/networks", json=body, headers=session | headers).status_code == 403
    assert api.log() == []


def test_a_page_of_this_server_shows_that_it_is_by_the_sessions_token_and_no_other(api: LiveApi, kim: Account) -> None:
    answers = log_in(api, kim.name), log_in(api, kim.name)
    mine, other = (each.json()["csrf_token"] for each in answers)
    session = {"Cookie": cookie(answers[0])["Cookie"]}
    for forged in (other, "", "x", mine + "x", mine[:-1]):
        for beside in ({}, {"X-Requested-With": "XMLHttpRequest"}, {"Sec-Fetch-Site": "same-origin"}):
            headers = session | beside | {"X-CSRF-Token": forged}
            body = {"name": "forged", "connection": "isolated"}
            assert api.client.post("/networks", json=body, headers=headers).status_code == 403, (forged, beside)
    body = {"name": "mine", "connection": "isolated"}
    headers = session | {"X-CSRF-Token": mine}
    assert api.client.post("/networks", json=body, headers=headers).status_code == 201
    headers["Origin"] = "http://evil.example"
    assert api.client.delete("/networks/mine", headers=headers).status_code == 403
    assert len(api.log()) == 1


@contextmanager
def changed(change: Callable[[], None], back: Callable[[], None]) -> Iterator[None]:
    change()
    try:
        yield
    finally:
        back()


def test_a_session_ends_when_its_user_loses_the_role(
    api: LiveApi, admins: str, now: Now, hand: libvirt.virConnect
) -> None:
    with an_account(admins) as account:
        session = cookie(log_in(api, account.name))
        with changed(lambda: account.leave(admins), lambda: account.join(admins)):
            now.s += 61
            assert api.client.get("/vms", headers=session).status_code == 401
        assert api.client.get("/vms", headers=session).status_code == 401


@pytest.mark.parametrize("what", [Account.remove, Account.lock], ids=["removed", "expired"])
def test_a_session_ends_with_its_account(api: LiveApi, admins: str, now: Now, what: Callable[[Account], None]) -> None:
    with an_account(admins) as account:
        session = cookie(log_in(api, account.name))
        assert api.client.get("/vms", headers=session).status_code == 200
        what(account)
        now.s += 61
        assert api.client.get("/vms", headers=session).status_code == 401


def test_guessing_is_refused_before_pam_is_asked(api: LiveApi, kim: Account) -> None:
    told = [log_in(api, "nobody-of-that-name", "wrong").status_code for _ in range(7)]
    assert told == [401] * 5 + [429, 429]
    assert "try again in" in log_in(api, "nobody-of-that-name", "wrong").json()["reason"]


def test_everything_but_what_is_public_asks_who_one_is(logins: Logins) -> None:
    services = Services(ready=lambda: True, alive=lambda: True, info=dict, logins=logins)
    server = Server(create_app(services), "127.0.0.1:0")
    server.start()
    json = {"Content-Type": "application/json"}
    try:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            for resource in resource_classes():
                path = resource.address.replace("{", "").replace("}", "")
                for endpoint in endpoints(resource).values():
                    place = f"{path}/{endpoint.name}" if endpoint.name else path
                    answer = client.request(endpoint.method, place, content=b"{", headers=json)
                    asked = answer.status_code == 401
                    assert asked == (endpoint.role is not ANYBODY), f"{endpoint.method} {place}"
    finally:
        server.stop()


def test_root_needs_no_password_on_the_socket(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path, public_folder: Path, logins: Logins
) -> None:
    repository.commit({}, "Begin")
    place = public_folder / "api.sock"
    with (
        live_api(repository, tmp_path / "state", unix=UnixSocket(place), logins=logins),
        httpx.Client(base_url="http://localhost", transport=httpx.HTTPTransport(uds=str(place))) as client,
    ):
        assert client.get("/vms").status_code == 200


def test_a_pam_module_that_hangs_holds_up_nobody_for_longer_than_its_time(kim: Account) -> None:
    with a_pam_service("auth required pam_exec.so /bin/sleep 600", "account required pam_unix.so") as service:
        accounts = PamAccounts(PamChildren(service, patience_s=2.0))
        try:
            with pytest.raises(Transient, match="nobody can log in"):
                accounts.proven(kim.name, PASSWORD)
        finally:
            accounts.close()


def test_a_service_that_is_not_there_lets_nobody_in(kim: Account) -> None:
    accounts = PamAccounts(PamChildren("onggi-no-such-service"))
    try:
        assert accounts.proven(kim.name, "wrong") is None
    finally:
        accounts.close()
