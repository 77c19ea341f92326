"""One question to one server, from the first connection to the last byte, in bounds.

It has one deadline for all of it, one for the beginning of the answer, and from then on a least rate. Whoever gives it
up, from any thread, closes its sockets: what waits for one of them in the kernel wakes up, and its thread ends.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from reconciler.network.addresses import Depth

KIB: Final = 1024
_MOST_BEFORE: Final = 1024 * KIB  # headers, greetings and the like, before an answer begins


class TooSlow(OSError):  # noqa: N818  # a word of the trade
    """A bound of time was reached; the text says which."""


class GivenUp(OSError):  # noqa: N818  # a word of the trade
    """Nobody wants the answer any more."""


class TooMuch(OSError):  # noqa: N818  # a word of the trade
    """The server sends more than any answer has."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server is waited for. In each `window_s` that was spent waiting for it, it has to send
    `least_bytes_per_s` on average; `most_bytes` in all, where there is a bound.
    """

    overall_s: float
    begin_s: float
    connect_s: float = 10.0
    window_s: float = 60.0
    least_bytes_per_s: float = 16.0 * KIB
    most_bytes: int | None = None


class Exchange:
    """Use as a context manager, which closes what is still open. One thread speaks; any may `cut`."""

    def __init__(self, patience: Patience) -> None:
        self.patience = patience
        self.depth: Depth | None = None  # how far inside the first server lay
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._given_up = False
        now = time.monotonic()
        self._end = now + patience.overall_s
        self._begun_by: float | None = now + patience.begin_s
        self._waited_s, self._received, self._total = 0.0, 0, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()
        with self._lock:
            sockets, self._sockets = self._sockets, set()
        for each in sockets:
            with suppress(OSError):
                each.close()

    @property
    def given_up(self) -> bool:
        """True once nobody waits for the answer."""
        return self._given_up

    def cut(self) -> None:
        """Give it up: whatever waits for the server ends now."""
        with self._lock:
            self._given_up = True
            for each in self._sockets:
                with suppress(OSError):
                    # Past ssl's own, which would change the socket under the thread that reads from it.
                    socket.socket.shutdown(each, socket.SHUT_RDWR)

    def hold(self, made: socket.socket) -> None:
        """This socket is a part of it. Raises GivenUp, with the socket closed."""
        with self._lock:
            if not self._given_up:
                self._sockets = {each for each in self._sockets if each.fileno() >= 0} | {made}
                return
        made.close()
        raise GivenUp("given up")

    def flows(self) -> None:
        """The answer has begun: from now on its rate counts."""
        self._begun_by = None
        self._waited_s, self._received, self._total = 0.0, 0, 0

    def asks(self) -> None:
        """Something more is asked, whose answer has to begin in its time too."""
        self._begun_by = time.monotonic() + self.patience.begin_s
        self._total = 0

    def left_s(self, most_s: float = float("inf")) -> float:
        """How long may be waited now. Raises TooSlow, GivenUp."""
        if self._given_up:
            raise GivenUp("given up")
        now = time.monotonic()
        if self._begun_by is not None and now >= self._begun_by:
            raise TooSlow(f"it didn't begin to answer within {self.patience.begin_s:g} s")
        if now >= self._end:
            raise TooSlow(f"it didn't come to an end within {self.patience.overall_s:g} s")
        ends = self._end if self._begun_by is None else min(self._end, self._begun_by)
        return min(ends - now, most_s)

    def receive(self, wire: socket.socket, most: int) -> bytes:
        """What has come, at most so many bytes; empty at the end. Raises OSError."""
        while True:
            began = time.monotonic()
            wire.settimeout(self.left_s(max(self.patience.window_s - self._waited_s, 0.01)))
            try:
                found = wire.recv(most)
            except TimeoutError:
                self.count(began, 0)
                continue
            if self._given_up:
                raise GivenUp("given up")
            self.count(began, len(found))
            return found

    def send(self, wire: socket.socket, data: bytes) -> None:
        """All of it. Raises OSError."""
        wire.settimeout(self.left_s())
        wire.sendall(data)

    def count(self, began: float, received: int) -> None:
        """So much has come of the server since `began` (monotonic). Raises TooMuch, TooSlow."""
        self._total += received
        most = _MOST_BEFORE if self._begun_by is not None else self.patience.most_bytes
        if most is not None and self._total > most:
            raise TooMuch(f"it sent more than {most // KIB} KiB")
        self._waited_s += time.monotonic() - began
        self._received += received
        if self._waited_s < self.patience.window_s:
            return
        if self._begun_by is None and self._received < self.patience.least_bytes_per_s * self._waited_s:
            raise TooSlow(f"it sends less than {self.patience.least_bytes_per_s / KIB:g} KiB/s")
        self._waited_s, self._received = 0.0, 0
