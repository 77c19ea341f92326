"""A request for a WebSocket passes every guard that requests pass, and takes no more than its share."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import falcon.asgi
import httpx
import libvirt
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect, unix_connect

from api.app import create_app
from api.http.discovery import resource_classes
from api.http.endpoint import endpoints
from api.server import Server
from api.services import Services
from reconciler.confined.unix_socket import UnixSocket
from reconciler.identity.role import Role
from tests.api.consoles import end_of, opened, refusal, ticket, with_screen
from tests.api.live import LiveApi, live_api
from tests.hostile.raw import answer_to
from tests.lab.people import ADMIN, BY_ROLE, OPERATOR, OTHER, VIEWER, logins_of_each_role, proof
from tests.lab.repositories import Repository
from tests.lab.screens import GREETING, HELLO, Screen, screen
from tests.lab.waiting import until

ASKS = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
KEY = b"\x04\x01\x00\x00\x00\x00\x00a"
SHOWS = b"\x03\x00\x00\x00\x00\x00\x00\x10\x00\x10"


@pytest.fixture
def drawn(hand: libvirt.virConnect) -> Iterator[Screen]:
    with screen() as made:
        yield made


def status_of(answer: str) -> int:
    return int(answer.split(" ", 2)[1])


# Before it is granted


def test_every_address_answers_a_request_for_a_websocket_as_it_answers_any() -> None:
    services = Services(ready=lambda: True, alive=lambda: True, info=dict, logins=logins_of_each_role())
    server = Server(create_app(services), "127.0.0.1:0")
    server.start()
    try:
        base = urlsplit(server.url).netloc
        for who in (None, VIEWER):
            proof = f"Authorization: {who._auth_header}\r\n" if who is not None else ""
            for resource in resource_classes():
                if not any(each.method == "GET" for each in endpoints(resource).values()):
                    continue
                path = re.sub(r"{\w+(?::\w+)?}", "x", resource.address)
                told = []
                for asks in (ASKS, "Connection: close\r\n"):
                    head = f"GET {path} HTTP/1.1\r\nHost: {base}\r\n{proof}{asks}\r\n"
                    told.append(status_of(answer_to(server.url, head.encode())))
                if path.endswith(("/console", "/websockify")) and who is not None:
                    assert told == [503, 426], "there is no agent, and who is let in has to ask for a WebSocket"
                    continue
                assert told[0] == told[1], f"{path} for {who and 'a viewer'}: {told}"
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({"Origin": "http://elsewhere.example"}, "Another site's page"),
        ({"Origin": "null"}, "Another site's page"),
        ({"Sec-Fetch-Site": "cross-site"}, "Another site's page"),
        ({"Sec-Fetch-Site": "same-site"}, "Another site's page"),
    ],
)
def test_another_sites_page_gets_none_though_it_had_a_ticket(
    api: LiveApi, hand: libvirt.virConnect, drawn: Screen, headers: dict[str, str], sentence: str
) -> None:
    with_screen(api, hand, drawn)
    url = ticket(api)
    status, told = refusal(api, url, headers=headers)
    assert status == 403 and sentence in told
    with opened(api, url, headers={"Origin": api.url}) as own:
        assert own.recv(60) == GREETING


def test_by_another_name_there_is_none() -> None:
    services = Services(ready=lambda: True, alive=lambda: True, info=dict, hosts=lambda: {"onggi.example"})
    server = Server(create_app(services), "127.0.0.1:0")
    server.start()
    try:
        address = f"ws://{urlsplit(server.url).netloc}/vms/x/console?ticket=x"
        with pytest.raises(InvalidStatus) as refused, connect(address, proxy=None):
            pass
        assert refused.value.response.status_code == 403
    finally:
        server.stop()


def test_what_begins_as_a_websocket_reaches_no_resource_whatever_a_plugin_offers() -> None:
    app = create_app(Services(ready=lambda: True, alive=lambda: True, info=dict))
    reached = []

    class Sneaky:
        async def on_websocket(self, _request: Any, websocket: falcon.asgi.WebSocket) -> None:
            reached.append(websocket)

    app.add_route("/sneaky", Sneaky())
    said: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(event: Any) -> None:
        said.append(event)

    scope = {"type": "websocket", "path": "/sneaky", "headers": [], "query_string": b"", "http_version": "1.1"}
    asyncio.run(app(scope, receive, send))
    assert not reached and not said


@pytest.mark.parametrize(
    ("asks", "status"),
    [
        ("Connection: close\r\n", 426),
        ("Connection: close, Upgrade\r\nUpgrade: h2c\r\n", 426),
        (ASKS.replace("13", "8"), 400),
        (ASKS.replace("dGhlIHNhbXBsZSBub25jZQ==", "short"), 400),
        (ASKS, 403),
    ],
)
def test_what_is_no_handshake_is_refused_in_words(api: LiveApi, asks: str, status: int) -> None:
    head = f"GET /vms/test/console?ticket=x HTTP/1.1\r\nHost: {urlsplit(api.url).netloc}\r\n{asks}\r\n"
    told = answer_to(api.url, head.encode())
    assert status_of(told) == status and '"reason"' in told


def test_both_names_of_an_address_lead_to_it(api: LiveApi, hand: libvirt.virConnect, drawn: Screen) -> None:
    with_screen(api, hand, drawn)
    url = api.client.post("/plugins/kimchi/vms/byhand/connect").json()["console"]["url"]
    assert url.startswith("/plugins/kimchi/vms/byhand/console?ticket=")
    with opened(api, url) as one:
        assert one.recv(60) == GREETING


# Who may do what


@pytest.fixture
def peopled(hand: libvirt.virConnect, repository: Repository, tmp_path: Path, drawn: Screen) -> Iterator[LiveApi]:
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", logins=logins_of_each_role(), most_consoles=4) as running:
        running.client.auth = ADMIN
        with_screen(running, hand, drawn)
        yield running


def test_who_only_looks_touches_nothing(peopled: LiveApi, drawn: Screen) -> None:
    answer = peopled.client.post("/vms/byhand/connect", auth=VIEWER).json()
    assert answer["console"]["read_only"] and answer["graphics"]["passwd"] is None
    with opened(peopled, answer["console"]["url"], headers=proof(VIEWER)) as one:
        assert one.recv(60) == GREETING
        one.send(HELLO[:-1] + b"\x00")
        one.send(KEY + SHOWS + KEY)
        drawn.wait_for(HELLO + SHOWS)
        one.send(b"\xaa")
        assert end_of(one)[0] == 1008
    with opened(peopled, ticket(peopled, auth=OPERATOR), headers=proof(OPERATOR)) as one:
        one.send(HELLO + KEY)
        drawn.wait_for(HELLO + KEY)


def test_a_ticket_is_its_users_alone(peopled: LiveApi) -> None:
    assert refusal(peopled, ticket(peopled, auth=OPERATOR), headers=proof(ADMIN))[0] == 403
    assert refusal(peopled, ticket(peopled, auth=OPERATOR), headers=proof(OTHER))[0] == 404
    assert refusal(peopled, ticket(peopled, auth=OPERATOR))[0] == 401
    assert peopled.client.post("/vms/byhand/connect", auth=OTHER).status_code == 404
    assert peopled.client.post("/vms/byhand/connect", auth=BY_ROLE[Role.USER]).status_code == 404


def test_there_are_only_so_many_and_nobody_has_all(peopled: LiveApi, drawn: Screen) -> None:
    held = []
    for _ in range(3):  # of four
        one = opened(peopled, ticket(peopled, auth=OPERATOR), headers=proof(OPERATOR)).__enter__()
        held.append(one)
    status, told = refusal(peopled, ticket(peopled, auth=OPERATOR), headers=proof(OPERATOR))
    assert status == 503 and "--most-consoles" in told
    with opened(peopled, ticket(peopled, auth=ADMIN), headers=proof(ADMIN)) as other:
        assert other.recv(60) == GREETING
    for one in held:
        one.close()

    def has_room() -> bool:
        try:
            with opened(peopled, ticket(peopled, auth=OPERATOR), headers=proof(OPERATOR)):
                return True
        except InvalidStatus:
            return False

    until(has_room, 60, "there is room again")


# Once it is granted


def test_it_ends_in_order_with_the_server(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path, drawn: Screen
) -> None:
    repository.commit({}, "Begin")
    told: list[tuple[int, str]] = []
    with live_api(repository, tmp_path / "state") as running:
        with_screen(running, hand, drawn)
        console = opened(running, ticket(running)).__enter__()
        assert console.recv(60) == GREETING

        def listen() -> None:
            try:
                console.recv(60)
            except ConnectionClosed as error:
                told.append((error.rcvd.code, error.rcvd.reason) if error.rcvd is not None else (0, ""))

        listener = threading.Thread(target=listen)
        listener.start()
    listener.join(60)
    assert told == [(1001, "The agent is ending.")]
    assert drawn.viewers[0].fileno() >= 0


def test_who_does_not_read_holds_up_the_screen_and_nobody_else(
    api: LiveApi, hand: libvirt.virConnect, drawn: Screen
) -> None:
    with_screen(api, hand, drawn)
    base = urlsplit(api.url)
    silent = socket.create_connection((base.hostname, base.port), timeout=60)
    with silent, opened(api, ticket(api)) as other:
        silent.sendall(f"GET {ticket(api)} HTTP/1.1\r\nHost: {base.netloc}\r\n{ASKS}\r\n".encode())
        assert b" 101 " in silent.recv(4096)
        until(lambda: len(drawn.viewers) == 2, 60, "both have come")
        drawn.viewers[1].settimeout(2)
        with pytest.raises(TimeoutError):
            for _ in range(200):
                drawn.viewers[1].sendall(bytes(1 << 20))
        assert other.recv(60) == GREETING
        drawn.viewers[0].sendall(b"still there")
        assert other.recv(60) == b"still there"


def test_what_comes_right_behind_the_request_is_heard(api: LiveApi, hand: libvirt.virConnect, drawn: Screen) -> None:
    with_screen(api, hand, drawn)
    base = urlsplit(api.url)
    frame = b"\x82" + bytes([0x80 | len(HELLO)]) + bytes(4) + HELLO
    with socket.create_connection((base.hostname, base.port), timeout=60) as eager:
        eager.sendall(f"GET {ticket(api)} HTTP/1.1\r\nHost: {base.netloc}\r\n{ASKS}\r\n".encode() + frame)
        drawn.wait_for(HELLO)


@pytest.mark.parametrize(
    "nonsense",
    [b"\x82\x05hello", b"\xff\xff\xff\xff", b"\x82\xff" + b"\x7f" * 12],
    ids=["unmasked", "no frame", "huge"],
)
def test_nonsense_ends_it(api: LiveApi, hand: libvirt.virConnect, drawn: Screen, nonsense: bytes) -> None:
    with_screen(api, hand, drawn)
    base = urlsplit(api.url)
    with socket.create_connection((base.hostname, base.port), timeout=60) as odd:
        odd.sendall(f"GET {ticket(api)} HTTP/1.1\r\nHost: {base.netloc}\r\n{ASKS}\r\n".encode())
        assert b" 101 " in odd.recv(4096)
        until(lambda: drawn.heard, 60, "the screen is there")
        odd.sendall(nonsense)
        while odd.recv(4096):
            pass
    assert not drawn.heard[0]


def test_it_is_reached_by_the_unix_socket(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path, drawn: Screen
) -> None:
    repository.commit({}, "Begin")
    path = tmp_path / "api.sock"
    with live_api(repository, tmp_path / "state", unix=UnixSocket(path), logins=logins_of_each_role()) as running:
        with_screen(running, hand, drawn)
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://localhost", timeout=60) as own:
            url = own.post("/vms/byhand/connect").json()["console"]["url"]
        with unix_connect(str(path), f"ws://localhost{url}", compression=None) as console:
            assert console.recv(60) == GREETING
