"""The machine's own libvirtd under an address that names a host: to libvirt's clients a hypervisor elsewhere."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

SOCKET = "/run/libvirt/libvirt-sock"


class Relay:
    """Hands bytes on between a port of the loopback and libvirtd's socket."""

    def __init__(self, uri: str = "qemu+tcp://127.0.0.1:{port}/system") -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = [self._listener]
        self.uri = uri.format(port=self._listener.getsockname()[1])
        threading.Thread(target=self._accept, name="relay to libvirtd", daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                server.connect(SOCKET)
                self._open += [client, server]
                for work, ends in ((_hand_on, (client, server)), (self.answer, (server, client))):
                    threading.Thread(target=work, args=ends, daemon=True).start()

    def answer(self, server: socket.socket, client: socket.socket) -> None:
        """Hand on what libvirtd says, until it says no more."""
        _hand_on(server, client)

    def close(self) -> None:
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


def _hand_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError), source.makefile("rb", buffering=0) as reader, target.makefile("wb", buffering=0) as writer:
        shutil.copyfileobj(reader, writer)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def remote_qemu(qemu_system: str) -> Iterator[str]:
    """The URI of qemu:///system as if it were another machine's."""
    relay = Relay()
    yield relay.uri
    relay.close()
