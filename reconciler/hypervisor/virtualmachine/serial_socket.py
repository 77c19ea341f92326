"""A machine's serial line as a socket, for who moves bytes between sockets and knows nothing of libvirt's streams.

A thread for each line looks at the stream, often while something moves and seldom while nothing does: libvirt can't be
waited for without being in others' way (docs/adr/0020).
"""

from __future__ import annotations

import select
import socket
import threading
import time
from contextlib import suppress
from typing import Final

from reconciler.errors import OnggiError
from reconciler.hypervisor.virtualmachine.console import SerialLine
from specs.reference import Ref

_CHUNK: Final = 4096
_SHORT_S: Final = 0.01
_LONG_S: Final = 0.25
_SLOWER: Final = 1.3
_LAST_WORDS_S: Final = 1.0  # in which the guest may take what was typed last


def open_serial(uri: str, ref: Ref, uid: str, *, force: bool) -> socket.socket:
    """One end of it, which closes with the line; closing it lets go of the line. Raises as `SerialLine`."""
    line = SerialLine(uri, ref, force=force, uid=uid)
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    threading.Thread(target=_move, args=(line, ours), name=f"onggi-serial-{ref.name}", daemon=True).start()
    return theirs


def _move(line: SerialLine, ours: socket.socket) -> None:
    with ours, line, suppress(OnggiError, OSError):
        _between(line, ours)


def _between(line: SerialLine, ours: socket.socket) -> None:
    """Until one of the two has ended."""
    shown, typed = b"", b""
    wait_s, patience_s = _SHORT_S, _LAST_WORDS_S
    poll = select.poll()
    poll.register(ours)
    while True:
        moved = False
        if not shown:
            found = line.look()
            if found == b"":
                return
            shown = found or b""
        if shown:
            with suppress(BlockingIOError):
                shown, moved = shown[ours.send(shown) :], True
        if typed:
            sent = line.push(typed)
            typed, moved = typed[sent:], moved or sent > 0
        wait_s = _SHORT_S if moved or typed else min(wait_s * _SLOWER, _LONG_S)
        poll.modify(ours, (0 if typed else select.POLLIN) | (select.POLLOUT if shown else 0))
        events = poll.poll(0 if moved else wait_s * 1000)
        if typed and any(event & select.POLLHUP for _, event in events):  # who has typed that has gone meanwhile
            patience_s -= wait_s
            if patience_s < 0:
                return
            time.sleep(wait_s)
        if not typed:
            with suppress(BlockingIOError):
                typed = ours.recv(_CHUNK)
                if not typed:
                    return
