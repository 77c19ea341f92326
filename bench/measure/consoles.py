"""Consoles: how much many at once move together, and what that does to whoever asks the API meanwhile.

The machine is libvirt's test driver's, and its screen a process that sends as fast as it is read. Both that and the
viewers run beside the agent on the same processors: what is measured is less than what the agent could do alone.
"""

from __future__ import annotations

import json
import multiprocessing
import select
import socket
import threading
import time
from collections.abc import Iterator
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
  <domain type='test'><name>film</name><uuid>6f1f7b0e-0a54-4b9e-9c8e-3d1c7f0b6a11</uuid><memory>65536</memory>
    <os><type>hvm</type></os>
    <devices><graphics type='vnc' port='{port}' autoport='no' listen='127.0.0.1'/></devices></domain>
</node>"""


def measure(folder: Path) -> Iterator[Row]:
    """In a folder of its own, on no hypervisor."""
    folder.mkdir(parents=True)
    spawn = multiprocessing.get_context("spawn")
    listener = socket.create_server(("127.0.0.1", 0), backlog=_CONSOLES)
    host = folder / "host.xml"
    host.write_text(_HOST.format(port=listener.getsockname()[1]))
    repository = Repository(folder / "repository", 0)
    options = ("--connect", f"test://{host}", "--listen", "127.0.0.1:0", "--most-consoles", "200")
    source = spawn.Process(target=_send, args=(listener,), daemon=True)
    source.start()
    try:
        with Agent(repository.path, folder / "state", folder / "agent.log", *options) as agent:
            paths = ["/vms/film"]
            before = load(agent.url, paths, _CLIENTS, _SECONDS)
            ours, theirs = spawn.Pipe()
            viewers = spawn.Process(target=_view, args=(agent.url, theirs), daemon=True)
            viewers.start()
            ours.recv()  # all are open, and what comes is counted from now on
            during = load(agent.url, paths, _CLIENTS, _SECONDS)
            ours.send(None)
            moved, took = ours.recv()
            viewers.join()
    finally:
        source.terminate()
        source.join()
        listener.close()
    what = f"{_CONSOLES} consoles at once"
    mb_per_s = moved / took / 1e6
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
        f"GET /vms/:name meanwhile, {_CLIENTS} clients",
        f"p99 {seconds(during.times.p(0.99))}, {during.per_s:.0f} /s",
        f"p99 {slower:.2f} × that without consoles ({seconds(before.times.p(0.99))}, {before.per_s:.0f} /s)",
        f"{_SLOWER} ×",
        slower <= _SLOWER,
    )


def _send(listener: socket.socket) -> None:
    """A screen: whoever says hello is sent what they take."""

    def to(viewer: socket.socket) -> None:
        viewer.sendall(b"RFB 003.008\n")
        viewer.recv(64)
        piece = bytes(_PIECE)
        try:
            while True:
                viewer.sendall(piece)
        except OSError:
            viewer.close()

    while True:
        threading.Thread(target=to, args=(listener.accept()[0],), daemon=True).start()


def _view(url: str, told: Pipe) -> None:
    """Opens all, says when that is done, and how much has come when it is asked."""
    api = Connection(url)
    address = urlsplit(url)
    opened = []
    for _ in range(_CONSOLES):
        _, answer = api.request("POST", "/vms/film/connect")
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
    told.send((moved, time.perf_counter() - begun))
