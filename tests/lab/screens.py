"""A VNC server as far as a relay sees it: it greets who comes, keeps what they say, and shows what it is told to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from tests.lab.waiting import until

GREETING: Final = b"RFB 003.008\n"
HELLO: Final = GREETING + b"\x01\x01"  # a viewer's: its version, no proof, and a session of its own or not


class Screen:
    """Listens on loopback. `heard` is what each of its viewers has said, the first first."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.viewers: list[socket.socket] = []
        self.heard: list[bytearray] = []
        threading.Thread(target=self._serve, daemon=True, name="screen").start()

    def _serve(self) -> None:
        while True:
            try:
                viewer, _ = self._listener.accept()
            except OSError:
                return
            heard = bytearray()
            self.heard.append(heard)
            self.viewers.append(viewer)  # before who is greeted can have it closed
            viewer.sendall(GREETING)
            threading.Thread(target=_listen, args=(viewer, heard), daemon=True, name="screen-viewer").start()

    def wait_for(self, words: bytes, viewer: int = -1) -> None:
        """Until a viewer has said just that."""
        until(lambda: bool(self.heard) and self.heard[viewer] == words, 60, f"the screen hears {words!r}")

    def close(self) -> None:
        """As a machine that stops does."""
        for each in (self._listener, *self.viewers):
            with suppress(OSError):  # it has gone already
                each.shutdown(socket.SHUT_RDWR)
            each.close()


def _listen(viewer: socket.socket, heard: bytearray) -> None:
    try:
        while data := viewer.recv(65536):
            heard.extend(data)
    except OSError:
        pass


@contextmanager
def screen() -> Iterator[Screen]:
    """One, until the block ends."""
    made = Screen()
    try:
        yield made
    finally:
        made.close()
