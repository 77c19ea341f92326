"""Bytes that only look like a request: each is answered once or not at all, and never understood in two ways."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import httpx
import pytest

from api.app import create_app
from api.http.head import LONGEST_ADDRESS, MOST_HEADERS, head_problem
from api.server import Server
from api.services import Services
from tests.hostile.raw import answer_of, answer_to, connect

SEED = 20_261_130
MUTATED = 1_000
HOST = b"Host: localhost\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = Server(create_app(Services(ready=lambda: True, alive=lambda: True, info=dict)), "127.0.0.1:0")
    server.start()
    yield server.url
    server.stop()


def post(headers: bytes, body: bytes) -> bytes:
    return b"POST /healthz HTTP/1.1\r\n" + HOST + headers + b"\r\n" + body


REFUSED = {
    "two lengths": post(b"Content-Length: 0\r\nContent-Length: 44\r\n", SMUGGLED),
    "two equal lengths": post(b"Content-Length: 2\r\nContent-Length: 2\r\n", b"{}"),
    "a list of lengths": post(b"Content-Length: 2, 2\r\n", b"{}"),
    "a length with a sign": post(b"Content-Length: +2\r\n", b"{}"),
    "a negative length": post(b"Content-Length: -1\r\n", b""),
    "a length in hex": post(b"Content-Length: 0x2\r\n", b"{}"),
    "a length without end": post(b"Content-Length: " + b"9" * 40 + b"\r\n", b""),
    "a length and chunks": post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + SMUGGLED),
    "chunks and a length": post(b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n" + SMUGGLED),
    "two encodings": post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", b"0\r\n\r\n" + SMUGGLED),
    "an unknown encoding": post(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n" + SMUGGLED),
    "chunked, then another": post(b"Transfer-Encoding: chunked, gzip\r\n", b"0\r\n\r\n" + SMUGGLED),
    "chunked behind a tab": post(b"Transfer-Encoding:\x0bchunked\r\n", b"0\r\n\r\n" + SMUGGLED),
    "a blank before the colon": post(b"Content-Length : 2\r\n", b"{}"),
    "a folded header": b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n",
    "a header without a name": b"GET /healthz HTTP/1.1\r\n" + HOST + b": a\r\n\r\n",
    "a header without a colon": b"GET /healthz HTTP/1.1\r\n" + HOST + b"nonsense\r\n\r\n",
    "a NUL in a value": b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n\r\n",
    "a NUL in a name": b"GET /healthz HTTP/1.1\r\n" + HOST + b"X\0: a\r\n\r\n",
    "a lone return": b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: a\rY: b\r\n\r\n",
    "two hosts": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    "two equal hosts": b"GET /healthz HTTP/1.1\r\n" + HOST * 2 + b"\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "an empty host": b"GET /healthz HTTP/1.1\r\nHost:\r\n\r\n",
    "a list of hosts": b"GET /healthz HTTP/1.1\r\nHost: localhost, evil.example\r\n\r\n",
    "a user in the host": b"GET /healthz HTTP/1.1\r\nHost: localhost@evil.example\r\n\r\n",
    "another host in the address": b"GET http://evil.example/healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "an address without a slash": b"GET healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "another protocol": b"GET ftp://localhost/healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "a tunnel": b"CONNECT evil.example:22 HTTP/1.1\r\n" + HOST + b"\r\n",
    "two origins": post(b"Origin: http://localhost\r\nOrigin: http://evil.example\r\n", b""),
    "two sites": b"GET / HTTP/1.1\r\n" + HOST + b"Sec-Fetch-Site: cross-site\r\nSec-Fetch-Site: none\r\n\r\n",
    "two cookies": b"GET /healthz HTTP/1.1\r\n" + HOST + b"Cookie: a=b\r\nCookie: a=c\r\n\r\n",
    "two tokens": post(b"X-CSRF-Token: a\r\nX-CSRF-Token: b\r\n", b""),
    "two types": post(b"Content-Type: a/b\r\nContent-Type: application/json\r\n", b""),
    "another version": b"GET /healthz HTTP/3.7\r\n" + HOST + b"\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a version that was never written": b"GET /healthz\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "a method that is none": b"G\xc3\x89T /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "a chunk of no length": post(b"Transfer-Encoding: chunked\r\n", b"zz\r\n{}\r\n0\r\n\r\n" + SMUGGLED),
    "a chunk of a huge length": post(b"Transfer-Encoding: chunked\r\n", b"f" * 20 + b"\r\n{}\r\n0\r\n\r\n" + SMUGGLED),
    "a chunk that is longer than it says": post(b"Transfer-Encoding: chunked\r\n", b"1\r\n{}\r\n0\r\n\r\n" + SMUGGLED),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_be_understood_in_two_ways_is_refused(url: str, name: str) -> None:
    told = answer_to(url, REFUSED[name])
    assert re.match("HTTP/1.1 (400|405|505) ", told) or not told, told
    assert told.count("HTTP/1.1 ") <= 1, told
    assert "smuggled" not in told


def test_what_is_unusual_and_clear_is_answered(url: str) -> None:
    at = url.removeprefix("http://").encode()
    for request in (
        b"GET /healthz HTTP/1.0\r\n\r\n",
        b"GET http://" + at + b"/healthz HTTP/1.1\r\nHost: " + at + b"\r\nConnection: close\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhOsT: LOCALHOST\r\nConnection: close\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: [::1]:8010\r\nConnection: close\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: upgrade, close\r\nUpgrade: websocket\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nConnection: close\r\n\r\n",
    ):
        assert "HTTP/1.1 200 OK" in answer_to(url, request), request


def test_what_stands_behind_a_body_is_no_header(url: str) -> None:
    behind = b"2\r\n{}\r\n0\r\nX-Request-Id: from-behind\r\nHost: evil.example\r\n\r\n"
    told = answer_to(url, post(b"Transfer-Encoding: chunked\r\nConnection: close\r\n", behind))
    assert told.startswith("HTTP/1.1 405 ")
    assert "from-behind" not in told


def test_a_request_has_few_headers_and_a_short_address(url: str) -> None:
    def asked(headers: int, address: int) -> str:
        lines = b"".join(b"X%d: y\r\n" % number for number in range(headers - 2))
        return answer_to(
            url,
            b"GET /healthz?" + b"a" * (address - 9) + b" HTTP/1.1\r\n" + HOST + lines + b"Connection: close\r\n\r\n",
        )

    assert asked(MOST_HEADERS, LONGEST_ADDRESS).startswith("HTTP/1.1 200 ")
    assert asked(MOST_HEADERS + 1, 20).startswith("HTTP/1.1 431 ")
    assert asked(5_000, 20).startswith("HTTP/1.1 431 ")
    assert asked(3, LONGEST_ADDRESS + 1).startswith("HTTP/1.1 414 ")


def test_twenty_thousand_heads_are_taken_or_refused_in_a_sentence() -> None:
    chance = random.Random(SEED)
    names = (b"host", b"origin", b"content-length", b"x", b"content-type", b"\xff", b"")
    values = (
        b"localhost",
        b"",
        b"evil.example",
        b"[::1]:1",
        b"a, b",
        b"\0",
        b"\xff" * 9,
        b"localhost:99999999",
        b"a@b",
    )
    for _ in range(20_000):
        headers = [(chance.choice(names), chance.choice(values)) for _ in range(chance.randint(0, 6))]
        address = chance.choice((b"/", b"/vms", b"*", b"", b"http://localhost", b"//x", b"\xff", b"http://"))
        problem = head_problem(address, chance.choice(("1.0", "1.1")), headers)
        hosts = [value for name, value in headers if name == b"host"]
        if problem is None:
            assert len(hosts) <= 1
            assert all(re.fullmatch(rb"[A-Za-z0-9.\[\]:-]+", host) for host in hosts)
        else:
            assert problem[1].endswith(".")


def test_mutated_requests_spoil_nothing(url: str) -> None:
    """Whatever a mutation makes of a good request, the server answers the next one."""
    chance = random.Random(SEED)
    seeds = [*REFUSED.values(), b"GET /vms?name=x HTTP/1.1\r\n" + HOST + b"\r\n", post(b"Content-Length: 2\r\n", b"{}")]
    odd = (b"\0", b"\r", b"\n", b"\r\n", b" ", b":", b"\xff", b"%", b"%00", b"9" * 20, b"Host: a\r\n", b"chunked")
    for number in range(MUTATED):
        request = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(request) + 1)
            if chance.random() < 0.5:
                request[at:at] = chance.choice(odd)
            else:
                del request[at : at + chance.randint(1, 8)]
        with connect(url) as connection:
            connection.sendall(bytes(request))
            connection.shutdown(1)
            told = answer_of(connection)
        assert "HTTP/1.1 500 " not in told, bytes(request)
        if number % 300 == 0:
            assert httpx.get(f"{url}/healthz", timeout=60).status_code == 200
