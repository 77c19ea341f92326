"""The end of a server: requests in flight are finished, streams end, and it never takes longer than it may."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.cli.command import Onggi
from tests.cli.conftest import onggi
from tests.lab.ports import free_port
from tests.lab.repositories import Repository, git
from tests.lab.waiting import until

__all__ = ["onggi"]

BODY = json.dumps({"name": "lab", "connection": "isolated", "subnet": "192.168.77.0/24"}).encode()
AT_ONCE_S = 20.0  # on a busy machine; whoever held the end up would for half a minute, as long as a body may take


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def process(onggi: Onggi, repository: Repository, tmp_path: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """`onggi run` on a test driver of its own, ready."""
    repository.commit({}, "Begin")
    words = ("run", repository.path, "--connect", "test:///default", "--state", tmp_path / "state")
    started = onggi.start(*words, "--listen", f"127.0.0.1:{port}")
    try:
        until(lambda: httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200, 60, "it is ready")
        yield started
    finally:
        started.kill()
        started.communicate()


@contextlib.contextmanager
def begun(port: int) -> Iterator[socket.socket]:
    """A request that is being answered and waits for the rest of its body."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        head = f"POST /networks HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {len(BODY)}\r\n"
        client.sendall(head.encode() + b"Expect: 100-continue\r\nContent-Type: application/json\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 100 ")
        client.sendall(BODY[:10])
        yield client


def answer(client: socket.socket) -> tuple[int, bytes]:
    """The status and the body, read to the end of the connection."""
    content = b""
    while part := client.recv(65536):
        content += part
    head, _, body = content.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def takes_nothing_new(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=60).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_request_in_flight_is_finished(process: subprocess.Popen[str], port: int, repository: Repository) -> None:
    with begun(port) as client:
        process.send_signal(signal.SIGTERM)
        until(lambda: takes_nothing_new(port), 60, "nothing new is taken")
        client.sendall(BODY[10:])
        status, body = answer(client)
    assert status == 201, body
    assert json.loads(body)["name"] == "lab"
    assert process.wait(60) == 0
    assert git(repository.path, "log", "-1", "--format=%s") == "Create network lab"


def test_a_request_that_takes_too_long_is_told_so_and_holds_nobody_up(
    process: subprocess.Popen[str], port: int
) -> None:
    with begun(port) as client:
        process.send_signal(signal.SIGTERM)
        assert process.wait(AT_ONCE_S) == 0
        status, body = answer(client)
    assert (status, json.loads(body)["code"]) == (503, "503 Service Unavailable")


def test_a_stream_ends_with_the_server(process: subprocess.Popen[str], port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(f"GET /events?follow=true HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        content = b""
        while b"retry:" not in content:
            content += client.recv(65536)
        process.send_signal(signal.SIGTERM)
        while part := client.recv(65536):
            content += part
        assert content.endswith(b"0\r\n\r\n")  # the end of a chunked body: in order, not cut off
    assert process.wait(AT_ONCE_S) == 0


def test_an_idle_connection_holds_nobody_up(process: subprocess.Popen[str], port: int) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        assert client.get("/healthz").status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(AT_ONCE_S) == 0
