"""A proxy of the environment fetches what the Internet has, and not what this host alone can reach."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from reconciler.errors import Transient
from reconciler.hypervisor.transfer.downloads import download
from reconciler.network.addresses import INTERNET, Networks
from reconciler.network.connecting import NotAllowed
from tests.network.misbehaving import Misbehaving, misbehaving

REFUSAL = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nimage"


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def proxy(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Misbehaving]:
    """One that notes the first line of what it is asked, and has an image for everybody."""

    def behave(connection: socket.socket) -> None:
        asked.append(connection.recv(65536).split(b"\r\n")[0].decode())
        connection.sendall(REFUSAL if asked[-1].startswith("CONNECT") else ANSWER)

    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with misbehaving(behave) as server:
        for name in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{server.port}")
        yield server


def fetch(url: str, networks: Networks = INTERNET) -> bytes:
    with download(url, threading.Event(), networks) as offered:
        return b"".join(offered.chunks)


def test_it_is_asked_for_names_that_it_may_know_better(proxy: Misbehaving, asked: list[str]) -> None:
    assert fetch("http://mirror.invalid/image") == b"image"
    with pytest.raises(Transient):
        fetch("https://mirror.invalid/image")
    assert asked == ["GET http://mirror.invalid/image HTTP/1.1", "CONNECT mirror.invalid:443 HTTP/1.1"]


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
def test_it_isnt_asked_for_what_lies_inside(proxy: Misbehaving, asked: list[str], host: str) -> None:
    with pytest.raises(NotAllowed):
        fetch(f"http://{host}:{proxy.port}/image")
    assert asked == []


def test_what_it_is_not_for_is_fetched_directly(
    proxy: Misbehaving, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert fetch(f"http://127.0.0.1:{proxy.port}/image", Networks.of(["127.0.0.0/8"])) == b"image"
    assert asked == ["GET /image HTTP/1.1"]
