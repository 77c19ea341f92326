"""A client of the API that writes to its socket whatever it likes."""

from __future__ import annotations

import socket

import httpx


def connect(url: str, *, receive_buffer: int = 0) -> socket.socket:
    """To the server there."""
    at = httpx.URL(url)
    made = socket.socket()
    if receive_buffer:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    made.settimeout(60)
    made.connect((at.host, at.port or 80))
    return made


def answer_of(connection: socket.socket) -> str:
    """All that comes until the server closes the connection."""
    received = b""
    try:
        while data := connection.recv(65536):
            received += data
    except ConnectionResetError:  # it closed while we were sending
        pass
    return received.decode()


def sent_without_end(connection: socket.socket, piece: bytes) -> int:
    """How much of it the server takes, at most 64 MiB."""
    sent = 0
    try:
        while sent < 1 << 26:
            connection.sendall(piece)
            sent += len(piece)
    except OSError:
        pass
    return sent


def answer_to(url: str, request: bytes) -> str:
    """Everything that the server says to it until it closes the connection."""
    with connect(url) as connection:
        connection.sendall(request)
        return answer_of(connection)
