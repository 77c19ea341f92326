"""Clients that hold connections: who doesn't read, doesn't write or doesn't end costs itself its connection, and nobody
else an answer.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from api.events import resource as events
from api.http import lingering, reading
from api.http.connection import MOST_PIPELINED, Connection
from api.http.eviction import MOST_AT_ONCE, MOST_OF_ONE, MOST_UNSENT, evict_for, evict_unread
from api.http.peer import peer_of
from api.http.reading import Reading
from tests.api.live import LiveApi, whole_api
from tests.hostile.raw import answer_of, answer_to, connect, sent_without_end
from tests.lab.waiting import until

LARGE = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
NOBODY = 65534


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApi]:
    with whole_api(tmp_path_factory.mktemp("connections")) as running:
        yield running


def was_reset(connection: socket.socket) -> bool:
    watched = select.poll()
    watched.register(connection, 0)  # what went wrong is told whatever is asked for
    return bool(watched.poll(0))


def is_answered(api: LiveApi) -> bool:
    return httpx.get(f"{api.url}/healthz", timeout=60).status_code == 200


# Who never reads


def test_hundreds_that_never_read_keep_nobody_out(api: LiveApi) -> None:
    with ExitStack() as stack:
        for _ in range(MOST_AT_ONCE + 8):
            one = stack.enter_context(connect(api.url, receive_buffer=4096))
            one.sendall(LARGE * 2)
        for _ in range(10):
            assert is_answered(api)


def test_who_does_not_read_an_answer_is_sent_away(api: LiveApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "read_s", 0.2)
    with connect(api.url, receive_buffer=4096) as one:
        one.sendall(LARGE * MOST_PIPELINED)
        until(lambda: was_reset(one), 60, "the connection is reset")


def test_who_reads_slowly_gets_all_of_it(api: LiveApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "read_s", 20.0)
    whole = len(api.client.get("/openapi.json").content)
    with connect(api.url, receive_buffer=4096) as one:
        one.sendall(LARGE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert len(answer_of(one).partition("\r\n\r\n")[2].encode()) == whole


def test_who_takes_a_little_now_and_then_is_sent_away_too() -> None:
    reading = Reading()
    looks = [
        reading.is_too_slow(now, sent=now * 100, unsent=1 << 20, still_since=now - 1, patience_s=30)
        for now in range(0, 40, 5)
    ]
    assert looks == [False] * 6 + [True, False]


def test_who_takes_enough_or_all_of_it_stays() -> None:
    slow, fast = Reading(), Reading()
    for now in range(0, 600, 5):
        assert not slow.is_too_slow(now, sent=now * 2048, unsent=1 << 20, still_since=now - 1, patience_s=30)
        waits = 0 if now % 25 == 0 else 100  # a stream of events, whose client takes each in its time
        assert not fast.is_too_slow(now, sent=now, unsent=waits, still_since=now - 1, patience_s=30)


def test_a_drop_at_a_time_holds_no_answer(api: LiveApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "read_s", 0.5)
    monkeypatch.setattr(reading, "LEAST_BYTES_PER_S", 1e9)
    with connect(api.url, receive_buffer=4096) as one:
        one.sendall(LARGE * MOST_PIPELINED)

        def takes_a_little() -> bool:
            if was_reset(one):
                return True
            try:
                one.recv(16 * 1024)
            except OSError:
                return True
            return False

        until(takes_a_little, 60, "the connection is reset")


def test_a_stream_that_nobody_reads_ends_and_leaves_its_place(api: LiveApi, monkeypatch: pytest.MonkeyPatch) -> None:
    flood = [(number, None, {"message": "x" * 100_000}) for number in range(20)]
    monkeypatch.setattr(events._News, "next", lambda *_: flood)
    monkeypatch.setattr(events, "_LOOK_S", 0.01)
    monkeypatch.setattr(events, "_MOST_STREAMS", 1)
    monkeypatch.setattr(Connection, "read_s", 0.2)
    with connect(api.url, receive_buffer=4096) as one:
        one.sendall(b"GET /events?follow=true HTTP/1.1\r\nHost: localhost\r\n\r\n")
        until(lambda: was_reset(one), 60, "the connection is reset")

    def is_let_in() -> bool:
        with httpx.stream("GET", f"{api.url}/events?follow=true", timeout=60) as other:
            return other.status_code == 200

    until(is_let_in, 60, "another one has its place")


def test_requests_that_come_before_their_answers_are_read_are_few(
    api: LiveApi, caplog: pytest.LogCaptureFixture
) -> None:
    with connect(api.url, receive_buffer=4096) as one:
        assert sent_without_end(one, LARGE * 1_000) < 1 << 25
    assert is_answered(api)
    with connect(api.url) as one:
        one.sendall(LARGE * (MOST_PIPELINED - 1) + LARGE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert answer_of(one).count("HTTP/1.1 200 ") == MOST_PIPELINED
    assert not [each for each in caplog.records if each.levelname == "ERROR"]


# Bodies that nobody wants


@pytest.mark.parametrize(
    ("request_line", "more", "status"),
    [
        ("POST /vms", "Content-Type: application/json", 413),
        ("POST /vms", "Origin: http://evil.example", 403),
        ("POST /nowhere", "", 404),
        ("POST /healthz", "", 405),
        ("GET /healthz", "", 200),
        ("POST /storagepools/none/storagevolumes", "Content-Type: multipart/form-data; boundary=b", 404),
    ],
)
@pytest.mark.parametrize("framing", ["Content-Length: 99000000000", "Transfer-Encoding: chunked"])
def test_a_body_that_nobody_wants_is_not_read_on(
    api: LiveApi, request_line: str, more: str, status: int, framing: str
) -> None:
    if status == 413 and "chunked" in framing:
        framing = "Content-Length: 98000000000"  # what isn't announced has to be counted first
    lines = [f"{request_line} HTTP/1.1", "Host: localhost", framing, *([more] if more else [])]
    head = ("\r\n".join(lines) + "\r\n\r\n").encode()
    piece = b"186a0\r\n" + b"x" * 100_000 + b"\r\n" if "chunked" in framing else b"x" * 100_000
    with connect(api.url) as one:
        one.sendall(head + piece[:1000])
        told = answer_of(one)
        assert told.startswith(f"HTTP/1.1 {status} ")
        assert "\r\nconnection: close\r\n" in told.lower()
    with connect(api.url) as one:
        one.sendall(head)
        assert sent_without_end(one, piece) < 1 << 25


def test_a_body_that_came_whole_keeps_the_connection(api: LiveApi) -> None:
    refused = b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"
    told = answer_to(api.url, refused * 2 + b"GET /healthz HTTP/1.0\r\n\r\n")
    assert told.count("HTTP/1.1 404 ") == 2
    assert told.count("HTTP/1.1 200 ") == 1


def test_who_still_sends_can_read_why_it_is_not_wanted(api: LiveApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lingering, "_LINGER_S", 3600.0)
    with connect(api.url) as one:
        one.sendall(b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\n\r\n")
        for _ in range(50):
            one.sendall(b"x" * 1_000)
        assert answer_of(one).startswith("HTTP/1.1 404 ")


# Who holds many


@dataclass
class RefusedEdit:
    peer: str
    still_since: float = 0.0
    waits_for_us: bool = False
    unsent: int = 0
    dropped: bool = False

    def drop(self) -> None:
        self.dropped = True


def dropped(held: list[RefusedEdit]) -> list[RefusedEdit]:
    return [each for each in held if each.dropped]


def test_the_stillest_of_whoever_holds_most_makes_room() -> None:
    others = [
        RefusedEdit("small", still_since=0),
        *(RefusedEdit("large", still_since=5 + n) for n in range(MOST_OF_ONE - 1)),
    ]
    others += [RefusedEdit("third", still_since=1) for _ in range(MOST_AT_ONCE - len(others))]
    assert evict_for(others, "new")
    assert dropped(others) == [others[1]]


def test_nobody_has_all_of_them() -> None:
    others = [RefusedEdit("large", still_since=n) for n in range(MOST_OF_ONE)]
    assert evict_for(others, "new")
    assert not dropped(others)
    assert evict_for(others, "large")
    assert dropped(others) == [others[0]]


def test_who_waits_for_us_is_not_sent_away() -> None:
    others = [RefusedEdit("large", waits_for_us=True) for _ in range(MOST_AT_ONCE)]
    assert not evict_for(others, "large")
    assert not evict_for(others, "new")
    others[7].waits_for_us = False
    assert evict_for(others, "new")
    assert dropped(others) == [others[7]]


def test_what_is_kept_for_those_who_do_not_read_is_bounded() -> None:
    others = [RefusedEdit("a", still_since=n, unsent=MOST_UNSENT // 4) for n in range(6)] + [RefusedEdit("b")]
    evict_unread(others)
    assert dropped(others) == others[:2]


def test_the_next_one_is_let_in_when_others_hold_all_and_do_nothing(api: LiveApi) -> None:
    with ExitStack() as stack:
        held = [stack.enter_context(connect(api.url)) for _ in range(MOST_AT_ONCE)]
        assert is_answered(api)
        until(lambda: sum(map(was_reset, held)) > MOST_AT_ONCE - MOST_OF_ONE, 60, "the first of them have left")
        assert not was_reset(held[-1])


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_user_of_this_machine_is_one_peer_whatever_address_it_comes_from(family: Any, address: str) -> None:
    with socket.create_server((address, 0), family=family) as server:
        place = server.getsockname()[:2]
        with socket.create_connection(place), server.accept()[0] as own:
            assert peer_of(own) == f"user {os.getuid()}"
        child = (
            f"import os, socket; os.setuid({NOBODY}); s = socket.socket({int(family)}); s.connect({place!r}); s.recv(1)"
        )
        with subprocess.Popen([sys.executable, "-c", child]) as other:
            with server.accept()[0] as theirs:
                assert peer_of(theirs) == f"user {NOBODY}"
            assert other.wait(60) == 0
