"""Moves what consoles show and are told, between WebSockets and sockets, in an event loop and thread of its own.

So a console that shows a film keeps nobody's request waiting: the server's loop has nothing to do with it once it was
granted. Each direction stops while its other end takes nothing, and whoever is silent for long is gone.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Protocol, cast

import uvloop
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from api.http.quota import Quota
from api.http.upgrade import Taken
from api.vms.console.rfb import RfbError

log = logging.getLogger("onggi.consoles")
_websocket_log = logging.getLogger("onggi.consoles.websocket")
_websocket_log.setLevel(logging.WARNING)  # whatever else is to be told: below, it tells cookies and what screens show

PING_S: Final = 20.0
SILENT_S: Final = 60.0
CLOSE_S: Final = 1.0  # in which the other end may say good-bye, too
_MOST_IN_A_MESSAGE: Final = 1 << 20
_KEPT: Final = 1 << 20  # bytes for one that doesn't take them, before no more are taken for it
_MOST_KEPT: Final = 4 * _KEPT
_LONGEST_REASON: Final = 123  # bytes, as WebSocket has it
_DATA: Final = frozenset({Opcode.BINARY, Opcode.TEXT, Opcode.CONT})
_SUBPROTOCOL: Final = "binary"


class Code(IntEnum):
    """Why a console ended, as its client is told: WebSocket's own, and ours from 4000 on."""

    NORMAL = 1000
    AGENT_ENDS = 1001
    NOT_ALLOWED = 1008
    STOPPED = 4001
    RIGHT_GONE = 4003
    TAKEN_OVER = 4009


class Words(Protocol):
    """What a client may say to a machine."""

    def feed(self, data: bytes | bytearray | memoryview) -> bytes | bytearray | memoryview:
        """What of it goes on. Raises RfbError."""


def handshake() -> ServerProtocol:
    """The server's side of one WebSocket."""
    return ServerProtocol(
        select_subprotocol=lambda _, offered: cast(Any, _SUBPROTOCOL if _SUBPROTOCOL in offered else None),
        max_size=_MOST_IN_A_MESSAGE,
        logger=_websocket_log,
    )


def accepted(websocket: ServerProtocol, headers: Iterable[tuple[bytes, bytes]]) -> Response:
    """The answer to a request for it: 101, or another when it is no such request."""
    lines = b"".join(b"%s: %s\r\n" % each for each in headers)
    websocket.receive_data(b"GET / HTTP/1.1\r\n%s\r\n" % lines)  # which address it is has been looked at
    request = next((each for each in websocket.events_received() if isinstance(each, Request)), None)
    if request is None:
        return websocket.reject(400, "That is no request for a WebSocket.\n")
    return websocket.accept(request)


@dataclass(eq=False)
class Session:
    """One console that is open. `ended` is done when nothing is left of it."""

    ended: Future[None]
    _loop: asyncio.AbstractEventLoop
    _pair: _Pair

    def end(self, code: int, reason: str) -> None:
        """Tell the client why, and let go. From any thread, and more than once."""
        self._loop.call_soon_threadsafe(self._pair.end, code, reason)


class Relay:
    """Its thread begins with the first console. `places` are who has how many open. For any thread."""

    def __init__(self) -> None:
        self.places = Quota()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def open(
        self,
        taken: Taken,
        websocket: ServerProtocol,
        response: Response,
        machine: Any,
        words: Words,
        used: Callable[[], None] = lambda: None,
    ) -> Session:
        """Between a client that was granted it and the socket `machine`; both are the relay's from now on. `used` is
        called, now and then, when the client does something.
        """
        loop = self._running()
        ended: Future[None] = Future()
        pair = _Pair(taken, websocket, response, words, used, ended)
        asyncio.run_coroutine_threadsafe(pair.begin(machine), loop)
        return Session(ended, loop, pair)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = uvloop.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="onggi-consoles", daemon=True).start()
            return self._loop


class _Side(asyncio.Protocol):
    """One of the two ends."""

    def __init__(self, came: Callable[[bytes], None], full: Callable[[bool], None], gone: Callable[[], None]) -> None:
        self._came, self._full, self._gone = came, full, gone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Little is kept for whoever is slow."""
        cast(asyncio.Transport, transport).set_write_buffer_limits(high=_KEPT)

    def data_received(self, data: bytes) -> None:
        """Something came."""
        self._came(data)

    def pause_writing(self) -> None:
        """It takes nothing more for now."""
        self._full(True)

    def resume_writing(self) -> None:
        """It does again."""
        self._full(False)

    def connection_lost(self, _exc: Exception | None) -> None:
        """It is gone."""
        self._gone()


class _Pair:
    """The two ends of one console. All of it happens in the relay's loop."""

    def __init__(
        self,
        taken: Taken,
        websocket: ServerProtocol,
        response: Response,
        words: Words,
        used: Callable[[], None],
        ended: Future[None],
    ) -> None:
        self._taken = taken
        self._websocket = websocket
        self._response = response
        self._words = words
        self._used = used
        self._ended = ended
        self._client: Any = None  # its transport, with its TLS
        self._wire: asyncio.Transport | None = None  # the same without
        self._machine: asyncio.Transport | None = None
        self._timers: list[asyncio.TimerHandle] = []
        self._heard = 0.0
        self._hears = True  # as long as what the client says is read
        self._closing = False

    async def begin(self, machine: Any) -> None:
        """Answer the client, and let both speak."""
        try:
            await self._begin(machine)
        except Exception:
            log.exception("a console couldn't be opened")
            self._drop()
            machine.close()
            self._taken.connection.close()
            self._done()

    async def _begin(self, machine: Any) -> None:
        loop = asyncio.get_running_loop()
        self._heard = loop.time()
        wire, _ = await loop.connect_accepted_socket(
            lambda: _Side(self._from_wire, self._client_full, self._client_gone), self._taken.connection
        )
        self._wire = wire
        self._client = self._taken.tls.on(wire) if self._taken.tls is not None else wire
        self._websocket.send_response(self._response)
        self._flush()
        self._machine, _ = await loop.connect_accepted_socket(
            lambda: _Side(self._from_machine, self._machine_full, self._machine_gone), machine
        )
        self._tick()
        if wire.is_closing():
            self._client_gone()
        elif self._taken.early or self._taken.tls is not None:
            self._from_client(self._taken.early)

    def end(self, code: int, reason: str) -> None:
        """The client is told, and has a moment to hear it."""
        if self._closing:
            return
        self._closing = True
        if self._machine is not None:
            self._machine.close()  # it may have what was said last
        if self._wire is None or self._wire.is_closing():
            self._drop()
            return
        if self._websocket.state is OPEN:
            self._websocket.send_close(code, _cut(reason))
            self._flush()
        self._listen()
        self._timers.append(asyncio.get_running_loop().call_later(CLOSE_S, self._drop))

    # The client

    def _from_wire(self, data: bytes) -> None:
        self._heard = asyncio.get_running_loop().time()
        if self._taken.tls is None:
            self._from_client(data)
            return
        try:
            said = self._taken.tls.received(data)
        except ssl.SSLError:
            self._drop()
            return
        if said:
            self._from_client(said)
        if self._taken.tls.ended:
            self._drop()

    def _from_client(self, data: bytes) -> None:
        if not data:
            return
        self._websocket.receive_data(data)
        for event in self._websocket.events_received():
            if isinstance(event, Frame) and event.opcode in _DATA and not self._closing:
                self._to_machine(event.data)
        self._flush()
        if self._websocket.close_expected():
            self.end(Code.NORMAL, "")

    def _to_machine(self, data: bytes | bytearray | memoryview) -> None:
        self._used()
        try:
            goes = self._words.feed(data)
        except RfbError as error:
            self.end(Code.NOT_ALLOWED, f"The viewer isn't understood: {error}.")
            return
        if goes and self._machine is not None and not self._machine.is_closing():
            self._machine.write(goes)

    def _flush(self) -> None:
        for piece in self._websocket.data_to_send():
            if piece:
                self._client.write(piece)
            else:
                self._client.close()
        if self._wire is not None and self._wire.get_write_buffer_size() > _MOST_KEPT:  # by its own pings
            self._drop()

    def _client_full(self, full: bool) -> None:
        if self._machine is not None and not self._machine.is_closing():
            (self._machine.pause_reading if full else self._machine.resume_reading)()
        self._heard = asyncio.get_running_loop().time()

    def _client_gone(self) -> None:
        self._drop()
        if self._machine is None or self._machine.is_closing():
            self._done()

    # The machine

    def _from_machine(self, data: bytes) -> None:
        if self._websocket.state is OPEN:
            self._websocket.send_binary(data)
            self._flush()

    def _machine_full(self, full: bool) -> None:
        self._hears = not full
        if self._wire is not None and not self._wire.is_closing():
            (self._wire.pause_reading if full else self._wire.resume_reading)()

    def _machine_gone(self) -> None:
        self.end(Code.STOPPED, "The machine stopped, or its console was closed.")
        if self._wire is None or self._wire.is_closing():
            self._done()

    # Both

    def _listen(self) -> None:
        if not self._hears and self._wire is not None and not self._wire.is_closing():
            self._hears = True
            self._wire.resume_reading()

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        if self._closing:
            return
        if self._hears and loop.time() - self._heard > SILENT_S:
            self._drop()
            return
        if self._websocket.state is OPEN:
            self._websocket.send_ping(b"")
            self._flush()
        self._timers[:] = [loop.call_later(PING_S, self._tick)]

    def _drop(self) -> None:
        self._closing = True
        for timer in self._timers:
            timer.cancel()
        for each in (self._wire, self._machine):
            if each is not None:
                each.abort()

    def _done(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)


def _cut(reason: str) -> str:
    return reason.encode()[:_LONGEST_REASON].decode(errors="ignore")
