"""A libvirtd elsewhere that lies: the machine's own behind a relay, which puts other XML into its answers."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress

from tests.lab.relay import Relay

LONGEST = 4 << 20  # that libvirt's client takes of a text

_HEADER = struct.Struct(">IIIIIII")  # length, program, version, procedure, type, serial, status
_REPLY, _OK = 1, 0


class LyingLibvirtd(Relay):
    """`uri` is the test driver's host there. `answers` are what it gives instead of XML, by the root's tag."""

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.garbage = b""  # sent in place of the first answer
        super().__init__("test+tcp://127.0.0.1:{port}/default")

    def answer(self, server: socket.socket, client: socket.socket) -> None:
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
