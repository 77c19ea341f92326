"""A proxy in front of the server: what it says of a request is believed of it alone, and who asks most of all.

The proxy is a process of the user `nobody` that hands on whatever a test has it say; the tests themselves are root.
"""

from __future__ import annotations

import logging
import pwd
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import falcon.asgi
import httpx
import libvirt
import pytest

from api.app import create_app
from api.http.admission import names_of
from api.http.forwarding import Forwarding, UserHeaders
from api.http.peer import real_peer
from api.http.responder import client_of
from api.server import Server
from api.services import ServedPlugins, Services
from reconciler.confined.unix_socket import UnixSocket
from reconciler.errors import SettingsError
from reconciler.host.plugins import Plugin, Plugins
from reconciler.identity.elsewhere import NoAccounts
from reconciler.identity.logins import Logins
from reconciler.identity.role import Role
from reconciler.settings.proxies import Proxies
from reconciler.settings.settings import Settings
from tests.api.live import live_api
from tests.lab.other_user import public_folder
from tests.lab.repositories import Repository, git
from tests.lab.standing_before import standing_before

__all__ = ["public_folder"]

NOBODY = pwd.getpwnam("nobody")
GROUPS = {Role.ADMIN: ["deciders"], Role.OPERATOR: ["workers"], Role.VIEWER: ["lookers"]}
SAYS = UserHeaders("x-forwarded-user", "x-forwarded-groups")
KIM = {"X-Forwarded-User": "kim@example.org", "X-Forwarded-Groups": "staff, lookers"}


class Mirror:
    """Answers with whom it sees."""

    role = Role.VIEWER

    def __init__(self, _services: Services) -> None: ...

    async def on_get(self, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        client = client_of(request)
        response.media = {
            "user": client.user,
            "peer": client.peer,
            "scheme": request.scheme,
            "role": str(client.role),
            "headers": sorted(name for name in request.headers if "forward" in name.lower()),
        }


def app(logins: Logins | None) -> falcon.asgi.App:
    plugins = ServedPlugins(Plugins((Plugin("mirror", "1", {"/plugins/mirror": Mirror}),)))
    names = names_of("localhost")
    return create_app(
        Services(ready=lambda: True, alive=lambda: True, info=dict, hosts=lambda: names, logins=logins, plugins=plugins)
    )


def logins() -> Logins:
    return Logins(NoAccounts(), GROUPS, hint="The proxy does that.")


@contextmanager
def served(
    proxies: Sequence[str] = ("user:nobody",), *, who: Logins | None, unix: UnixSocket | None = None
) -> Iterator[Server]:
    server = Server(app(who), "127.0.0.1:0", proxies, unix, user_headers=SAYS if who is not None else None)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with served(who=logins()) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(server: Server) -> Iterator[httpx.Client]:
    """What the proxy asks."""
    port = server.url.rpartition(":")[2]
    with (
        standing_before(port, NOBODY.pw_uid, NOBODY.pw_gid) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        yield client


@pytest.fixture
def stranger(server: Server) -> Iterator[httpx.Client]:
    """What somebody asks who is no proxy, root or not."""
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client


def test_who_the_proxy_names_may_do_what_their_groups_may(proxy: httpx.Client) -> None:
    seen = proxy.get("/plugins/mirror", headers=KIM).json()
    assert (seen["user"], seen["role"]) == ("kim@example.org", "viewer")
    assert seen["headers"] == []
    refused = proxy.post("/networks", headers=KIM, json={"name": "n", "connection": "isolated"})
    assert refused.status_code == 403 and "yours is viewer" in refused.json()["reason"]
    nothing = proxy.get("/plugins/mirror", headers=KIM | {"X-Forwarded-Groups": "staff"})
    assert nothing.status_code == 403 and "no role" in nothing.json()["reason"]


def test_their_name_signs_what_they_change(hand: libvirt.virConnect, repository: Repository, tmp_path: Path) -> None:
    repository.commit({}, "Begin")
    with (
        live_api(repository, tmp_path / "state", logins=logins(), proxies=("user:nobody",), user_headers=SAYS) as api,
        standing_before(api.url.rpartition(":")[2], NOBODY.pw_uid, NOBODY.pw_gid) as url,
    ):
        who = {"X-Forwarded-User": "kim@example.org", "X-Forwarded-Groups": "deciders"}
        body = {"name": "theirs", "connection": "isolated"}
        answer = httpx.post(f"{url}/networks", json=body, headers=who, timeout=120)
        assert answer.status_code == 201, answer.text
        assert git(repository.path, "log", "-1", "--format=%an").strip() == "kim@example.org"


def test_from_anybody_else_such_a_header_is_refused_and_told(
    stranger: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "onggi.api"):
        for path in ("/plugins/mirror", "/healthz", "/login", "/nowhere"):
            for headers in (KIM, {"X-Forwarded-Groups": "deciders"}):
                answer = stranger.get(path, headers=headers)
                assert answer.status_code == 403 and "isn't named" in answer.json()["reason"], path
    assert "user 0 says who it is" in caplog.text
    assert "kim@example.org" not in caplog.text


def test_a_proxy_that_names_nobody_is_nobody_itself(proxy: httpx.Client, stranger: httpx.Client) -> None:
    for answer in (
        proxy.get("/plugins/mirror"),
        proxy.get("/plugins/mirror", headers={"X-Forwarded-User": ""}),
        stranger.get("/plugins/mirror"),
        proxy.get("/plugins/mirror", auth=("kim", "password")),
    ):
        assert answer.status_code == 401 and "The proxy does that" in answer.json()["reason"]
        assert "WWW-Authenticate" not in answer.headers
    assert proxy.post("/login", json={"username": "a", "password": "b"}).status_code == 404


@pytest.mark.parametrize(
    "name",
    [
        "root", "Root", "ｒｏｏｔ", "api", "onggi", "uid 0", "user 0", "a\u202eb", "a\u200bb", "a\u00adb", "a\tb",
        "k" * 129, "../../etc", "-rf", "a<b>", "e\u0301", "\ue000",
    ],
)  # fmt: skip
def test_a_name_that_means_somebody_else_or_looks_so_is_refused(proxy: httpx.Client, name: str) -> None:
    headers = [(b"X-Forwarded-User", name.encode()), (b"X-Forwarded-Groups", b"deciders")]
    assert proxy.get("/plugins/mirror", headers=headers).status_code == 403


def test_what_is_no_text_is_refused(proxy: httpx.Client) -> None:
    assert proxy.get("/plugins/mirror", headers=[(b"X-Forwarded-User", b"k\xff")]).status_code == 403


@pytest.mark.parametrize(
    "smuggled",
    [
        [("X-Forwarded-User", "ada"), ("X-Forwarded-User", "kim")],
        [("x-forwarded-user", "ada"), ("X-FORWARDED-USER", "kim")],
        [("X-Forwarded-User", "kim"), ("X_Forwarded_User", "ada")],
        [("X_Forwarded_User", "ada")],
        [("X-Forwarded_User", "ada")],
        [("X-Forwarded-User", "kim"), ("X-Forwarded-Groups", "lookers"), ("X-Forwarded-Groups", "deciders")],
        [("X-Forwarded-User", "kim"), ("X_Forwarded_Groups", "deciders")],
    ],
)
def test_a_second_header_beside_the_proxys_is_refused(proxy: httpx.Client, smuggled: list[tuple[str, str]]) -> None:
    assert proxy.get("/plugins/mirror", headers=smuggled).status_code == 403


def test_groups_of_this_host_are_not_those_that_a_proxy_names() -> None:
    default = Settings(auth="proxy", trusted_proxies=("user:nobody",)).logins
    named = Settings(auth="proxy", trusted_proxies=("user:nobody",), admin_groups=("sudo",)).logins
    assert default is not None and named is not None
    for logins, admitted in ((default, False), (named, True)):
        with served(who=logins) as server:
            headers = KIM | {"X-Forwarded-Groups": "sudo,wheel,root"}
            with standing_before(server.url.rpartition(":")[2], NOBODY.pw_uid, NOBODY.pw_gid) as url:
                status = httpx.get(f"{url}/plugins/mirror", headers=headers, timeout=60).status_code
                assert (status == 200) is admitted


def test_a_proxy_on_the_unix_socket_is_known_by_its_user(public_folder: Path) -> None:
    place = public_folder / "api.sock"
    with (
        served(who=logins(), unix=UnixSocket(place, "nogroup")),
        httpx.Client(base_url="http://localhost", transport=httpx.HTTPTransport(uds=str(place))) as root,
        standing_before(str(place), NOBODY.pw_uid, NOBODY.pw_gid) as url,
    ):
        with httpx.Client(base_url=url, timeout=60) as proxy:
            assert proxy.get("/plugins/mirror", headers=KIM).json()["user"] == "kim@example.org"
            assert proxy.get("/plugins/mirror").status_code == 401
            there = proxy.get("/plugins/mirror", headers=KIM | {"X-Forwarded-For": "203.0.113.9"}).json()
            assert there["peer"] == "203.0.113.9"
        assert root.get("/plugins/mirror").json()["user"] == "root"
        assert root.get("/plugins/mirror", headers=KIM).status_code == 403
        forged = root.get("/plugins/mirror", headers={"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"})
        assert (forged.json()["peer"], forged.json()["scheme"]) == ("user 0", "http")


def seen_by(proxies: tuple[str, ...], *headers: tuple[str, str]) -> dict[str, object]:
    """What is known of a request of root's on this machine."""
    sent = [(name.lower().encode(), value.encode()) for name, value in headers]
    scope = {"type": "http", "scheme": "http", "headers": sent, "client": ("127.0.0.1", 1), "onggi.peer": "user 0"}
    read = Forwarding(None, Proxies.of(proxies)).read(scope)
    peer = real_peer(SimpleNamespace(scope=read))  # type: ignore[arg-type]
    return {"scheme": read["scheme"], "peer": peer, "headers": read["headers"]}


@pytest.mark.parametrize(
    ("proxies", "values", "peer"),
    [
        ((), ["203.0.113.9"], "user 0"),
        (("127.0.0.1",), ["203.0.113.9"], "203.0.113.9"),
        (("127.0.0.1",), ["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
        (("127.0.0.1",), ["198.51.100.1", "203.0.113.9"], "203.0.113.9"),
        (("127.0.0.1", "10.0.0.0/8"), ["198.51.100.1, 203.0.113.9, 10.1.2.3"], "203.0.113.9"),
        (("127.0.0.1", "10.0.0.0/8"), ["198.51.100.1, ::ffff:10.1.2.3"], "198.51.100.1"),
        (("127.0.0.1",), ["203.0.113.9:4711"], "203.0.113.9"),
        (("127.0.0.1",), ["[2001:db8::1]:4711"], "2001:db8::1"),
        (("127.0.0.1",), ["2001:db8::1"], "2001:db8::1"),
        (("127.0.0.1",), ["user 5"], "user 0"),
        (("127.0.0.1",), ["203.0.113.9, somebody"], "user 0"),
        (("127.0.0.1",), [""], "user 0"),
        (("::1", "192.0.2.0/24"), ["203.0.113.9"], "user 0"),
    ],
)
def test_whom_a_request_comes_from_is_the_last_address_that_is_no_named_proxys(
    proxies: tuple[str, ...], values: list[str], peer: str
) -> None:
    assert seen_by(proxies, *(("X-Forwarded-For", each) for each in values))["peer"] == peer


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Host": "evil.example"},
        {"Forwarded": "for=203.0.113.9;host=evil.example;proto=https"},
        {"X_Forwarded_Proto": "https"},
        {"X-Forwarded-Proto": "https, http"},
        {"X-Forwarded-Proto": "gopher"},
        {"X-Real-IP": "203.0.113.9"},
    ],
)
def test_no_other_header_says_anything(headers: dict[str, str]) -> None:
    assert seen_by(("127.0.0.1",), *headers.items()) == {"scheme": "http", "peer": "user 0", "headers": []}


def test_pages_behind_a_proxy_with_tls_are_of_https_and_of_no_other_origin() -> None:
    with served(("127.0.0.1",), who=None) as server, httpx.Client(base_url=server.url, timeout=60) as client:
        by_tls = {"X-Forwarded-Proto": "https", "Host": "localhost"}
        json = {"name": "n", "connection": "isolated"}
        for origin, refused in (("https://localhost", False), ("http://localhost", True), ("https://evil", True)):
            answer = client.post("/networks", json=json, headers=by_tls | {"Origin": origin})
            assert (answer.status_code == 403) is refused, origin
        assert client.get("/", headers=by_tls | {"Host": "evil", "X-Forwarded-Host": "localhost"}).status_code == 403


def test_an_address_of_this_machine_is_anybodys_and_proves_nothing() -> None:
    scope = {"type": "http", "headers": [(b"x-forwarded-user", b"kim")], "client": ("192.0.2.1", 1)}
    forwarding = Forwarding(None, Proxies.of(["192.0.2.1"]), SAYS)
    for peer, believed in (("192.0.2.1", True), ("user 1000", False)):
        said = forwarding.read({**scope, "onggi.peer": peer})["onggi.forwarded"]
        assert said.named is believed


def test_one_address_behind_a_proxy_that_guesses_keeps_no_other_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.http.authentication.LEAST_S", 0.0)
    with (
        served(("127.0.0.1",), who=Logins(NoAccounts(), GROUPS)) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):

        def guess(address: str, name: str) -> int:
            headers = {"X-Forwarded-For": f"198.51.100.1, {address}"}
            return client.get("/vms", auth=(name, "wrong"), headers=headers).status_code

        assert [guess("203.0.113.9", f"user{each}") for each in range(6)] == [401] * 5 + [429]
        assert guess("203.0.113.10", "other") == 401


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "believes nobody"),
        ({"trusted_proxies": ("127.0.0.1",)}, "everybody on this machine"),
        ({"trusted_proxies": ("::1",)}, "everybody on this machine"),
        ({"trusted_proxies": ("0.0.0.0/0",)}, "everybody on this machine"),
        ({"trusted_proxies": ("user:root",)}, "can't be told from root"),
        ({"trusted_proxies": ("user:no-such-user",)}, "no user"),
        ({"trusted_proxies": ("proxy.example",)}, "neither an address"),
        ({"trusted_proxies": ("192.0.2.1",), "proxy_user_header": "X_User"}, "isn't a header"),
        ({"trusted_proxies": ("192.0.2.1",), "proxy_user_header": "X-Forwarded-For"}, "isn't a header"),
        ({"trusted_proxies": ("192.0.2.1",), "proxy_user_header": "Cookie"}, "isn't a header"),
        ({"trusted_proxies": ("192.0.2.1",), "proxy_groups_header": "x-forwarded-user"}, "don't stand in one"),
    ],
)
def test_settings_by_which_anybody_could_be_anybody_are_refused(
    settings: dict[str, tuple[str, ...] | str], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        Settings(auth="proxy", **settings)  # type: ignore[arg-type]
