"""A server as a local socket, for a library that speaks by itself: what passes through is bounded as the exchange is.

The library sees its connection end when the exchange does, whatever it waits for. Encryption is done here, so that it
trusts whom everything else does.
"""

from __future__ import annotations

import logging
import select
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from reconciler.network.wire import Wire

log = logging.getLogger("onggi.network")

_PIECE: Final = 64 * 1024
_LOOK_S: Final = 0.5
_END_S: Final = 0.5


@contextmanager
def relayed(wire: Wire) -> Iterator[int]:
    """The file descriptor of a socket that stands for the server, until the end of the block. Who gets it closes it.

    What the library has read and not used by then is forgotten with it; the server's connection stays open.
    """
    ours, theirs = socket.socketpair()
    over = threading.Event()
    thread = threading.Thread(target=_pump, args=(wire, ours, over), name="onggi-relay", daemon=True)
    thread.start()
    try:
        yield theirs.detach()
    finally:
        over.set()
        with suppress(OSError):
            ours.shutdown(socket.SHUT_RDWR)
        thread.join(_END_S)
        if thread.is_alive():  # the server has begun to say something, and doesn't go on
            wire.exchange.cut()
            thread.join()


def _pump(wire: Wire, ours: socket.socket, over: threading.Event) -> None:
    try:
        while not over.is_set() and _passed_on(wire, ours):
            pass
    except OSError as error:
        if not over.is_set():
            log.info("the connection to a server has ended: %s: %s", type(error).__name__, error)
    finally:
        ours.close()


def _passed_on(wire: Wire, ours: socket.socket) -> bool:
    """Wait for either side, and hand on what it says; False when it has nothing more to say."""
    waits_s = wire.exchange.left_s(_LOOK_S)
    if isinstance(wire.socket, ssl.SSLSocket) and wire.socket.pending():
        ready = [wire.socket.fileno()]
    else:
        both = select.poll()
        both.register(ours, select.POLLIN)
        both.register(wire.socket, select.POLLIN)
        ready = [descriptor for descriptor, _ in both.poll(waits_s * 1000)]
    heard = None
    if ours.fileno() in ready:
        said = ours.recv(_PIECE)
        if not said:
            return False
        wire.send(said)
    if wire.socket.fileno() in ready:
        heard = _arrived(wire)
        if heard == b"":
            return False
    if heard:
        ours.settimeout(wire.exchange.left_s())
        ours.sendall(heard)
    return True


def _arrived(wire: Wire) -> bytes | None:
    """What is there already; None for nothing yet. Under TLS something may have come that means nothing to the library,
    and it must not wait for more while the library has something to say.
    """
    wire.socket.settimeout(0)
    try:
        found = wire.socket.recv(_PIECE)
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return None
    wire.exchange.count(time.monotonic(), len(found))
    return found
