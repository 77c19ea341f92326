"""Consoles: how much many at once move together, and what that does to whoever asks the API meanwhile.

The machines are libvirt's test driver's, and their screens processes: one sends as fast as it is read, which tells how
much can be moved, the other what the goal asks for, beside which the API is asked. They and the viewers run on the same
processors as the agent: what is measured is less than what it could do alone.
"""

from __future__ import annotations

import json
import multiprocessing
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from urllib.parse import urlsplit

from bench.agent import Agent
from bench.http import Connection, load
from bench.repository import Repository
from bench.table import Row, seconds

_CONSOLES = 50
_SECONDS = 5.0
_CLIENTS = 4
_MB_PER_S, _SLOWER = 200, 1.5
_PIECE = 256 * 1024
_HELLO = b"RFB 003.008\n\x01\x01"
_HOST = """<node>
  <cpu><mhz>2600</mhz><model>x86_64</model><active>8</active><nodes>1</nodes><sockets>1</sockets><cores>4</cores>
    <threads>2</threads></cpu>
  <memory>16777216</memory>
  {domains}
</node>"""
_DOMAIN = """<domain type='test'><name>{name}</name><memory>65536</memory><os><type>hvm</type></os>
    <devices><graphics type='vnc' port='{port}' autoport='no' listen='127.0.0.1'/></devices></domain>"""
_FAST, _STEADY = "fast", "steady"


def measure(folder: Path) -> Iterator[Row]:
    """In a folder of its own, on no hypervisor."""
    folder.mkdir(parents=True)
    spawn = multiprocessing.get_context("spawn")
    listeners = {name: socket.create_server(("127.0.0.1", 0), backlog=_CONSOLES) for name in (_FAST, _STEADY)}
    domains = [_DOMAIN.format(name=name, port=each.getsockname()[1]) for name, each in listeners.items()]
    host = folder / "host.xml"
    host.write_text(_HOST.format(domains="".join(domains)))
    repository = Repository(folder / "repository", 0)
    options = ("--connect", f"test://{host}", "--listen", "127.0.0.1:0", "--most-consoles", "200")
    sources = [
        spawn.Process(target=_send, args=(listeners[name], pause_s), daemon=True)
        for name, pause_s in ((_FAST, 0.0), (_STEADY, _CONSOLES * _PIECE / (_MB_PER_S * 1e6)))
    ]
    for source in sources:
        source.start()
    try:
        with Agent(repository.path, folder / "state", folder / "agent.log", *options) as agent:
            paths = [f"/vms/{_STEADY}"]
            with _viewed(agent.url, _FAST) as fast:
                time.sleep(_SECONDS)
            before = load(agent.url, paths, _CLIENTS, _SECONDS)
            with _viewed(agent.url, _STEADY) as steady:
                during = load(agent.url, paths, _CLIENTS, _SECONDS)
    finally:
        for source in sources:
            source.terminate()
            source.join()
        for listener in listeners.values():
            listener.close()
    what = f"{_CONSOLES} consoles at once"
    mb_per_s = fast[0]
    slower = during.times.p(0.99) / before.times.p(0.99)
    yield Row(
        what,
        "moved together",
        f"{mb_per_s:.0f} MB/s",
        f"{mb_per_s / _MB_PER_S:.2f} × the target",
        f"{_MB_PER_S} MB/s",
        mb_per_s >= _MB_PER_S,
    )
    yield Row(
        what,
        f"GET /vms/:name beside {steady[0]:.0f} MB/s of them, {_CLIENTS} clients",
        f"p99 {seconds(during.times.p(0.99))}, {during.per_s:.0f} /s",
        f"p99 {slower:.2f} × that without consoles ({seconds(before.times.p(0.99))}, {before.per_s:.0f} /s)",
        f"{_SLOWER} ×",
        slower <= _SLOWER,
    )


@contextmanager
def _viewed(url: str, machine: str) -> Iterator[list[float]]:
    """Consoles of a machine until the block ends; in the list is then how many MB/s have come."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    viewers = spawn.Process(target=_view, args=(url, machine, theirs), daemon=True)
    viewers.start()
    ours.recv()  # all are open, and what comes is counted from now on
    told: list[float] = []
    yield told
    ours.send(None)
    told.append(ours.recv())
    viewers.join()


def _send(listener: socket.socket, pause_s: float) -> None:
    """A screen: whoever says hello is sent what they take, a piece after each pause."""

    def to(viewer: socket.socket) -> None:
        viewer.sendall(b"RFB 003.008\n")
        viewer.recv(64)
        piece, due = bytes(_PIECE), time.perf_counter()
        try:
            while True:
                viewer.sendall(piece)
                due += pause_s
                time.sleep(max(0.0, due - time.perf_counter()))
        except OSError:
            viewer.close()

    while True:
        threading.Thread(target=to, args=(listener.accept()[0],), daemon=True).start()


def _view(url: str, machine: str, told: Pipe) -> None:
    """Opens all, says when that is done, and how many MB/s have come when it is asked."""
    api = Connection(url)
    address = urlsplit(url)
    opened = []
    for _ in range(_CONSOLES):
        _, answer = api.request("POST", f"/vms/{machine}/connect")
        viewer = socket.create_connection((address.hostname, address.port or 80))
        path = json.loads(answer)["console"]["url"]
        viewer.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        viewer.recv(4096)
        viewer.sendall(b"\x82" + bytes([0x80 | len(_HELLO)]) + bytes(4) + _HELLO)
        viewer.setblocking(False)
        opened.append(viewer)
    api.close()
    told.send(None)
    begun, moved, room = time.perf_counter(), 0, bytearray(4 * _PIECE)
    while not told.poll():
        for viewer in select.select(opened, [], [], 0.1)[0]:
            moved += viewer.recv_into(room)
    told.send(moved / (time.perf_counter() - begun) / 1e6)
