"""Requests that nobody sends by mistake: each is refused in a sentence, and nobody else waits for it."""

from __future__ import annotations

import json
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import pytest

from api.events import resource as events
from api.http.connection import MAX_HEAD, Connection
from tests.api.live import LiveApi, whole_api
from tests.hostile.raw import answer_of, answer_to, connect, sent_without_end
from tests.lab.waiting import until

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApi]:
    with whole_api(tmp_path_factory.mktemp("requests")) as running:
        yield running


def is_refused(answer: httpx.Response, status: int = 400) -> bool:
    told = answer.json()
    return answer.status_code == status and set(told) == {"code", "reason"} and bool(told["reason"])


@pytest.mark.parametrize("origin", ["http://[", "null", "", "http://127.0.0.1:99999999", "http://[::1]:x"])
def test_an_origin_that_is_no_address_is_another_site(api: LiveApi, origin: str) -> None:
    assert is_refused(api.client.post("/networks/default/activate", headers={"Origin": origin}), 403)


def test_a_disk_that_takes_its_time_keeps_nobody_waiting_who_does_not_ask_for_it(api: LiveApi) -> None:
    with api.serving.tasks._lock, ThreadPoolExecutor(1) as other:
        waits = other.submit(httpx.get, f"{api.url}/tasks", timeout=60)
        until(waits.running, 60, "somebody asks for the tasks")
        try:
            for _ in range(20):
                assert httpx.get(f"{api.url}/healthz", timeout=60).status_code == 200
        finally:
            api.serving.tasks._lock.release()
            assert waits.result().status_code == 200
            assert api.serving.tasks._lock.acquire(timeout=60)


@pytest.mark.parametrize("depth", [200, 900, 100_000])
def test_a_body_may_not_be_nested_without_end(api: LiveApi, depth: int) -> None:
    content = '{"users": ' + "[" * depth + "]" * depth + "}"
    assert is_refused(api.client.put("/vms/test", content=content, headers=JSON))


@pytest.mark.parametrize(
    "body",
    [
        {"users": [1] * 300_000},
        {"users": [{}] * 200_000},
        {f"k{number}": number for number in range(60_000)},
        {"cpus": 10**30},
        {"graphics": {f"k{number}": number for number in range(60_000)}},
    ],
    ids=["numbers", "objects", "keys", "a number", "keys deeper down"],
)
def test_a_body_full_of_mistakes_is_refused_for_one_of_them(api: LiveApi, body: object) -> None:
    answer = api.client.put("/vms/test", content=json.dumps(body, separators=(",", ":")), headers=JSON)
    assert is_refused(answer)
    assert len(answer.json()["reason"]) < 1000


@pytest.fixture
def expected(api: LiveApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if uploads were under way: a form that nobody expects isn't read."""
    monkeypatch.setattr(api.serving.uploads, "most", lambda _ref, _owner: 10)


@pytest.mark.parametrize("charset", ["punycode", "idna", "utf-7", "zlib", "nonsense"])
@pytest.mark.usefixtures("expected")
def test_a_form_does_not_choose_how_its_text_is_read(api: LiveApi, charset: str) -> None:
    head = f'Content-Disposition: form-data; name="chunk_size"\r\nContent-Type: text/plain; charset={charset}'
    content = f"--b\r\n{head}\r\n\r\n-{'a' * 1_000_000}\r\n--b--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    url = "/storagepools/default-pool/storagevolumes/x"
    assert is_refused(api.client.put(url, content=content, headers=headers, timeout=60))


@pytest.mark.usefixtures("expected")
def test_a_text_of_a_form_that_is_no_text_is_refused(api: LiveApi) -> None:
    form = {"chunk_size": (None, b"\xff\xfe"), "chunk": ("c", b"x")}
    assert is_refused(api.client.put("/storagepools/default-pool/storagevolumes/x", files=form))


# Connections


@pytest.mark.parametrize("begin", [b"GET /", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "], ids=["address", "header"])
def test_an_address_or_a_header_without_end_is_not_taken(api: LiveApi, begin: bytes) -> None:
    with connect(api.url) as connection:
        connection.sendall(begin)
        assert sent_without_end(connection, b"a" * 100_000) < 1 << 25
    with connect(api.url) as connection:
        connection.sendall(begin + b"a" * (MAX_HEAD + 1))
        assert answer_of(connection).startswith("HTTP/1.1 431 ")


def test_headers_without_number_are_not_taken(api: LiveApi) -> None:
    with connect(api.url) as connection:
        connection.sendall(b"GET /vms HTTP/1.1\r\nHost: localhost\r\n")
        assert sent_without_end(connection, b"X: y\r\n" * 20_000) < 1 << 25


def test_nothing_without_end_stands_behind_a_body(api: LiveApi) -> None:
    with connect(api.url) as connection:
        connection.sendall(
            b"PUT /vms/test HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
        )
        assert sent_without_end(connection, b"X: y\r\n" * 20_000) < 1 << 25


@pytest.mark.parametrize("behind", [b"X: y\r\n" * 100_000, b"X: " + b"y" * 600_000 + b"\r\n"], ids=["many", "long"])
def test_a_large_body_lets_no_more_stand_behind_it(api: LiveApi, behind: bytes) -> None:
    body = b"{}" + b" " * 500_000
    head = (
        b"PUT /vms/test HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n"
    ) % (len(body), body)
    assert answer_to(api.url, head + b"X: y\r\n\r\n").startswith("HTTP/1.1 200 ")
    with connect(api.url) as connection:
        with suppress(OSError):  # it's closed before all is sent
            connection.sendall(head + behind + b"\r\n")
        assert "HTTP/1.1 200 " not in answer_of(connection)


def test_a_body_in_small_chunks_is_taken(api: LiveApi) -> None:
    whole = json.dumps({"cpus": 2, "memory": 512}) + " " * 100_000
    pieces = (whole[at : at + 5].encode() for at in range(0, len(whole), 5))
    answer = api.client.put("/vms/test", content=pieces, headers=JSON)
    assert answer.status_code == 200, answer.text


def test_who_connects_and_says_nothing_is_sent_away(api: LiveApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "head_s", 0.1)
    for said in (b"", b"GET /vms HT", b"GET /vms HTTP/1.1\r\nHost: local"):
        with connect(api.url) as connection:
            connection.sendall(said)
            assert answer_of(connection).startswith("HTTP/1.1 408 ")


def test_what_is_no_request_is_refused_in_a_sentence(api: LiveApi) -> None:
    with connect(api.url) as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        head, _, body = answer_of(connection).partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 400 ")
    assert json.loads(body)["code"] == "400 Bad Request"


def test_only_so_many_streams_are_open_and_one_whose_client_has_left_is_none(
    api: LiveApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_HEARTBEAT_S", 3600.0)

    def opened(many: int) -> list[socket.socket]:
        made = [connect(api.url) for _ in range(many)]
        for each in made:
            each.sendall(b"GET /events?follow=true HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return made

    def begins(connections: list[socket.socket]) -> Counter[bytes]:
        return Counter(each.recv(65536)[9:12] for each in connections)

    def close(connections: list[socket.socket]) -> None:
        for each in connections:
            each.close()

    many = opened(200)
    assert begins(many) == {b"200": 48, b"503": 152}  # of 64: some are left for others
    close(many)

    def is_let_in() -> bool:
        one = opened(1)
        told = begins(one)
        close(one)
        return told == {b"200": 1}

    until(is_let_in, 60, "there is room again, though no heartbeat shows that the others have left")
