"""The HTTP side on a real server: health, errors, ports."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import falcon.asgi
import httpx
import pytest

from api.app import create_app
from api.errors import add_handlers
from api.server import Server
from api.services import Services
from reconciler.errors import (
    Conflict,
    Disconnected,
    NotFound,
    OnggiError,
    SettingsError,
    SourceError,
    StateError,
    Terminal,
    Unsupported,
)


@dataclass
class Agent:
    """What the server sees of an agent."""

    ready: bool = False
    alive: bool = True
    problem: str = ""
    info: dict[str, str] = field(default_factory=lambda: {"revision": "main@sha1:0123"})

    def services(self) -> Services:
        return Services(
            ready=lambda: self.ready, alive=lambda: self.alive, info=lambda: self.info, problem=lambda: self.problem
        )


@pytest.fixture
def agent() -> Agent:
    return Agent()


@pytest.fixture
def client(agent: Agent) -> Iterator[httpx.Client]:
    server = Server(create_app(agent.services()), "127.0.0.1:0")
    server.start()
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client
    server.stop()


def test_health_is_503_with_a_reason_until_the_first_pass_is_through(client: httpx.Client, agent: Agent) -> None:
    for path in ("/healthz", "/readyz"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert answer.json().keys() == {"code", "reason"}
        assert answer.json()["code"] == "503 Service Unavailable"
    agent.ready = True
    assert (client.get("/healthz").status_code, client.get("/healthz").json()) == (200, {"status": "ok"})
    assert client.get("/readyz").json() == {"status": "ok", "revision": "main@sha1:0123"}


def test_an_agent_that_died_is_not_healthy(client: httpx.Client, agent: Agent) -> None:
    agent.ready, agent.alive = True, False
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert "has ended" in answer.json()["reason"]
    assert client.get("/readyz").status_code == 503


def test_an_agent_whose_passes_fail_is_not_healthy_and_says_why(client: httpx.Client, agent: Agent) -> None:
    agent.ready, agent.problem = True, "the disk of the state is full; free some space"
    for path in ("/healthz", "/readyz"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert "free some space" in answer.json()["reason"]
    agent.problem = ""
    assert client.get("/healthz").status_code == 200


def test_no_cache_keeps_an_answer(client: httpx.Client, agent: Agent) -> None:
    agent.ready = True
    assert client.get("/healthz").headers["cache-control"] == "no-store"


def test_an_address_with_nothing_behind_it_says_so(client: httpx.Client) -> None:
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert answer.json()["code"] == "404 Not Found"
    assert answer.json()["reason"]


def test_a_method_that_is_not_taken_names_those_that_are(client: httpx.Client) -> None:
    answer = client.post("/healthz")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "OPTIONS"}
    assert answer.json()["code"] == "405 Method Not Allowed"


@pytest.mark.parametrize(
    ("proxies", "scheme"),
    [((), "http"), (("127.0.0.1",), "https"), (("127.0.0.0/8", "::1"), "https"), (("::1",), "http")],
)
def test_only_a_trusted_proxy_says_how_it_was_asked(
    monkeypatch: pytest.MonkeyPatch, proxies: tuple[str, ...], scheme: str
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    app = falcon.asgi.App()
    app.add_route("/", Scheme())
    server = Server(app, "127.0.0.1:0", proxies)
    server.start()
    try:
        for headers in ({"X-Forwarded-Proto": "https"}, {"X-Forwarded-Proto": "https", "X-Forwarded-For": "::1"}):
            assert httpx.get(server.url, headers=headers, timeout=60).text == scheme
    finally:
        server.stop()


class Scheme:
    """Answers with the scheme that it was asked by."""

    async def on_get(self, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        response.text = request.scheme


class Failing:
    """A resource that fails as its address says."""

    ERRORS: ClassVar[dict[str, Exception]] = {
        "conflict": Conflict("somebody was faster"),
        "away": Disconnected("the host can't be reached", retry_after_s=7),
        "bug": ZeroDivisionError("secret detail"),
    }

    async def on_get(self, request: falcon.asgi.Request, response: falcon.asgi.Response, error: str) -> None:
        raise self.ERRORS[error]


@pytest.fixture
def failing() -> Iterator[httpx.Client]:
    app = falcon.asgi.App()
    add_handlers(app)
    app.add_route("/{error}", Failing())
    server = Server(app, "127.0.0.1:0")
    server.start()
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client
    server.stop()


def test_an_error_of_the_domain_becomes_its_status_and_its_sentence(failing: httpx.Client) -> None:
    answer = failing.get("/conflict")
    assert (answer.status_code, answer.json()) == (
        409,
        {"code": "409 Conflict", "reason": "ONGGI0409E: somebody was faster"},
    )


def test_what_goes_away_by_itself_says_when_to_ask_again(failing: httpx.Client) -> None:
    answer = failing.get("/away")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")


def test_what_is_unexpected_goes_to_the_log_and_not_to_the_client(
    failing: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    answer = failing.get("/bug")
    assert answer.status_code == 500
    assert answer.json()["code"] == "500 Internal Server Error"
    assert "secret detail" not in answer.text
    assert "secret detail" in caplog.text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound, 404), (Conflict, 409), (Unsupported, 501), (SourceError, 503), (StateError, 503), (Terminal, 400),
        (OnggiError, 500), (Disconnected, 503),
    ],
)  # fmt: skip
def test_every_error_of_the_domain_has_a_status(
    error: Callable[[str], OnggiError], status: int, failing: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(Failing.ERRORS, "this", error("told"))
    answer = failing.get("/this")
    assert (answer.status_code, answer.json()["reason"].partition(": ")[2]) == (status, "told")


def test_a_port_that_is_in_use_is_told_at_once(agent: Agent) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        listen = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(SettingsError, match=f"{listen} can't be listened on .*choose another port with --listen"):
            Server(create_app(agent.services()), listen).start()


def test_an_address_that_others_can_reach_is_refused(agent: Agent) -> None:
    with pytest.raises(SettingsError, match="takes a login and TLS"):
        Server(create_app(agent.services()), "0.0.0.0:0")


def test_a_stopped_server_gives_its_port_back(agent: Agent) -> None:
    server = Server(create_app(agent.services()), "127.0.0.1:0")
    server.start()
    url, port = server.url, int(server.url.rpartition(":")[2])
    assert httpx.get(f"{url}/healthz", timeout=60).status_code == 503
    server.stop()
    with socket.create_server(("127.0.0.1", port)):
        pass
