"""Asks a VNC console whether it takes a password, as a viewer does (RFB 3.8, RFC 6143).

Only the handshake: nothing of the screen is looked at. The cipher is openssl's, which is there on every machine.
"""

from __future__ import annotations

import socket
import struct
import subprocess

_NONE, _PASSWORD = 1, 2


def accepts(port: int, password: str) -> bool:
    """True when the console on loopback lets a viewer with this password in. Fails when it asks for none."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        assert _receive(line, 12).startswith(b"RFB ")
        line.sendall(b"RFB 003.008\n")
        kinds = _receive(line, _receive(line, 1)[0])
        assert _PASSWORD in kinds, f"it doesn't ask for a password, but offers {list(kinds)}"
        line.sendall(bytes([_PASSWORD]))
        line.sendall(_answer(_receive(line, 16), password))
        return bool(struct.unpack(">I", _receive(line, 4))[0] == 0)


def asks_for_nothing(port: int) -> bool:
    """True when the console lets everybody in."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        assert _receive(line, 12).startswith(b"RFB ")
        line.sendall(b"RFB 003.008\n")
        return _NONE in _receive(line, _receive(line, 1)[0])


def _answer(challenge: bytes, password: str) -> bytes:
    key = password.encode()[:8].ljust(8, b"\0")
    mirrored = bytes(int(f"{byte:08b}"[::-1], 2) for byte in key)  # VNC's DES takes the bits of each byte backwards
    command = [
        "openssl",
        "enc",
        "-des-ecb",
        "-nopad",
        "-provider",
        "legacy",
        "-provider",
        "default",
        "-K",
        mirrored.hex(),
    ]
    return subprocess.run(command, input=challenge, capture_output=True, check=True).stdout


def _receive(line: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        piece = line.recv(count - len(received))
        assert piece, f"the console hung up after {received!r}"
        received += piece
    return received
