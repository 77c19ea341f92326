"""A server on loopback that does to each connection what a test says, and knows when the other side has hung up."""

from __future__ import annotations

import itertools
import select
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Behaviour = Callable[[socket.socket], None]


@dataclass
class Misbehaving:
    """`came` counts connections, `left` those that the client has closed."""

    port: int
    came: int = 0
    left: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def all_left(self) -> bool:
        return 0 < self.came == self.left


@contextmanager
def misbehaving(behave: Behaviour, port: int = 0) -> Iterator[Misbehaving]:
    """`behave` may do its worst until the client hangs up; then it is sent away."""
    with socket.create_server(("127.0.0.1", port), backlog=128) as listening:
        server = Misbehaving(listening.getsockname()[1])
        closing = threading.Event()
        threads: list[threading.Thread] = []

        def serve(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                behave(connection)
                while not closing.is_set() and connection.fileno() >= 0:
                    if select.select([connection], [], [], 0.05)[0] and not connection.recv(65536):
                        break
            with server.lock:
                server.left += 1

        def accept() -> None:
            while not closing.is_set():
                if select.select([listening], [], [], 0.05)[0]:
                    connection, _ = listening.accept()
                    with server.lock:
                        server.came += 1
                    threads.append(threading.Thread(target=serve, args=(connection,)))
                    threads[-1].start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield server
        finally:
            closing.set()
            accepting.join()
            for each in threads:
                each.join()


def drip(connection: socket.socket, begin: bytes, rest: Iterable[bytes]) -> None:
    """`begin` at once, and then a piece now and then, for as long as the client listens."""
    connection.sendall(begin)
    for piece in rest:
        if select.select([connection], [], [], 0.02)[0] and not connection.recv(65536):
            raise ConnectionError
        connection.sendall(piece)


def byte_by_byte(begin: bytes, byte: bytes = b"x") -> Behaviour:
    return lambda connection: drip(connection, begin, itertools.repeat(byte))


def flood(begin: bytes, piece: bytes) -> Behaviour:
    """Endlessly, as fast as it goes."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(begin)
        while True:
            connection.sendall(piece)

    return behave


def says(text: bytes) -> Behaviour:
    """Once, and nothing more."""
    return lambda connection: connection.sendall(text)


def silent(_connection: socket.socket) -> None:
    """Takes the connection and says nothing."""
