"""A libvirtd elsewhere that lies: the machine's own behind a relay, which puts other XML into its answers."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress

from tests.lab.relay import SOCKET

LONGEST = 4 << 20  # that libvirt's client takes of a text

_HEADER = struct.Struct(">IIIIIII")  # length, program, version, procedure, type, serial, status
_REPLY, _OK = 1, 0


class LyingLibvirtd:
    """`uri` is the test driver's host there. `answers` are what it gives instead of XML, by the root's tag."""

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.garbage = b""  # sent in place of the first answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = [self._listener]
        self.uri = f"test+tcp://127.0.0.1:{self._listener.getsockname()[1]}/default"
        threading.Thread(target=self._accept, name="lying libvirtd", daemon=True).start()

    def close(self) -> None:
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                server.connect(SOCKET)
                self._open += [client, server]
                for work, ends in ((self._ask, (client, server)), (self._lie, (server, client))):
                    threading.Thread(target=work, args=ends, daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(1 << 16):
                server.sendall(data)
        with suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    def _lie(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError), server.makefile("rb") as answers:
            while start := answers.read(4):
                packet = start + answers.read(struct.unpack(">I", start)[0] - 4)
                if self.garbage:
                    client.sendall(self.garbage)
                    break
                client.sendall(self._changed(packet))
        with suppress(OSError):
            client.shutdown(socket.SHUT_WR)

    def _changed(self, packet: bytes) -> bytes:
        _, program, version, procedure, kind, serial, status = _HEADER.unpack(packet[: _HEADER.size])
        told = packet[_HEADER.size + 4 :]  # after the length of a text, if it is one
        answer = next((text for tag, text in self.answers.items() if told.startswith(f"<{tag}".encode())), None)
        if answer is None or (kind, status) != (_REPLY, _OK):
            return packet
        text = answer.encode()
        body = struct.pack(">I", len(text)) + text + b"\0" * (-len(text) % 4)
        return _HEADER.pack(_HEADER.size + len(body), program, version, procedure, kind, serial, status) + body
