"""A connection within an exchange: whatever is read from it, or written to it, is bounded as the exchange is."""

from __future__ import annotations

import io
import socket
import ssl
from dataclasses import dataclass
from typing import Any

from reconciler.network.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Wire:
    """`socket` belongs to the exchange."""

    socket: socket.socket
    exchange: Exchange

    def receive(self, most: int) -> bytes:
        """What has come; empty at the end. Raises OSError."""
        return self.exchange.receive(self.socket, most)

    def send(self, data: bytes) -> None:
        """All of it. Raises OSError."""
        self.exchange.send(self.socket, data)

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def lines(self, encoding: str) -> io.TextIOWrapper:
        """To be read line by line, where each byte counts against the exchange's bounds."""
        return io.TextIOWrapper(io.BufferedReader(_Raw(self)), encoding=encoding, newline="\n")


def encrypted(wire: Wire, context: ssl.SSLContext, host: str | None) -> Wire:
    """The same connection under TLS, with somebody whose certificate is for `host`. Raises OSError."""
    if isinstance(wire.socket, ssl.SSLSocket):
        raise OSError("it is encrypted already")  # an error of the network to whoever asks
    wire.socket.settimeout(wire.exchange.left_s())
    # In two steps: who gives the exchange up has to find the socket during the handshake too.
    secure = context.wrap_socket(wire.socket, server_hostname=host, do_handshake_on_connect=False)
    wire.exchange.hold(secure)
    secure.settimeout(wire.exchange.left_s())
    secure.do_handshake()
    return Wire(secure, wire.exchange)


class _Raw(io.RawIOBase):
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self._wire.receive(len(buffer))
        buffer[: len(found)] = found
        return len(found)
