"""A user of this machine who stands between clients and a server, as a proxy does: bytes go both ways as they are."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_RELAY = """
import os, socket, sys, threading
listening = socket.create_server(("127.0.0.1", 0))
"".encode("idna")  # what is loaded late may lie where the user can't read
os.setgroups([])
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[1]))
print(listening.getsockname()[1], flush=True)

def carry(one, other):
    try:
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)
    except OSError:
        pass

def stand(client):
    if sys.argv[3].startswith("/"):
        server = socket.socket(socket.AF_UNIX)
        server.connect(sys.argv[3])
    else:
        server = socket.create_connection(("127.0.0.1", int(sys.argv[3])))
    threading.Thread(target=carry, args=(client, server), daemon=True).start()
    carry(server, client)
    client.close()
    server.close()

while True:
    threading.Thread(target=stand, args=(listening.accept()[0],), daemon=True).start()
"""


@contextmanager
def standing_before(server: str, user: int, group: int) -> Iterator[str]:
    """The URL of one before a port or a Unix socket, until the end of the block."""
    words = [sys.executable, "-S", "-c", _RELAY, str(user), str(group), server]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
