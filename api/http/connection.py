"""One connection of a client, in bounds: of the size of a request's head, of the time that it takes to come and that an
answer takes to be read, and of how many there are at once. Uvicorn has none for these with httptools.

A body's bounds are for who reads it; one that nobody reads isn't taken: its connection ends with the answer.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import MutableMapping
from typing import Any, Final, cast

import falcon
import httptools
import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.http.certificate import Certificate
from api.http.error_body import error_body
from api.http.eviction import evict_for, evict_unread
from api.http.head import head_problem
from api.http.lately import Remembered, mark_remembered
from api.http.lingering import LingeringTransport
from api.http.peer import mark_peer, peer_of
from api.http.reading import Reading
from api.http.response_headers import with_policy
from api.http.shutdown import Receive, Scope, Send
from api.http.tls_transport import PlainHttpError, TlsTransport
from api.http.upgrade import Taken, mark_upgrade
from reconciler.confined.unix_socket import user_of

log = logging.getLogger("onggi.api")

MAX_HEAD: Final = 64 * 1024
MOST_PIPELINED: Final = 16
_HEAD_S: Final = 30.0
_HANDSHAKE_S: Final = 15.0
_READ_S: Final = 30.0
_LOOKS: Final = 4  # in that time
_MUCH: Final = 64 * 1024  # so much unsent lets all connections' be counted
_CHUNKED: Final = 8  # what a byte of a body may need besides, in the smallest chunks that somebody sends
_JSON: Final = (b"content-type", b"application/json;charset=utf-8")
_CLOSE: Final = (b"connection", b"close")


class Connection(HttpToolsProtocol):
    """Ends with an answer when a bound is crossed, or without one when nobody reads."""

    head_s: float = _HEAD_S
    handshake_s: float = _HANDSHAKE_S
    read_s: float = _READ_S

    def __init__(self, *arguments: Any, certificate: Certificate | None = None, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.access_log = False  # whatever a process' logging says: addresses may hold a console's ticket
        self._certificate = certificate
        self._tls: TlsTransport | None = None
        self._application: Any = self.app
        self.app = cast(Any, self._answer)
        self.peer = ""
        self.user: int | None = None  # of a Unix socket
        self._late: asyncio.TimerHandle | None = None
        self._look: asyncio.TimerHandle | None = None
        self._reading = Reading()
        self._out: LingeringTransport
        self._sent = 0  # when it was looked at last
        self._moved = 0.0
        self._incoming = False  # in the middle of a request
        self._dropped = False
        self._body = 0  # bytes of this request's body so far
        self._besides = 0  # all others: its head, the frames of chunks, what stands behind them
        self._without_body = 0  # of those, what came since its body went on last
        self._in_head = True
        self._asks_for_websocket = False
        self._early: bytes = b""  # behind such a request
        self._taken = False

    # Others' view, when there are too many

    @property
    def unsent(self) -> int:
        """Bytes that the client hasn't taken yet."""
        return self._out.unsent

    @property
    def still_since(self) -> float:
        """When something came from the client, or was taken by it, last."""
        if self._out.sent != self._sent:
            self._sent, self._moved = self._out.sent, self.loop.time()
        return self._moved

    @property
    def waits_for_us(self) -> bool:
        """The client has done what it can."""
        return not (self._is_at_rest() or self._incoming or self.unsent or self._out.is_closing())

    def drop(self) -> None:
        """Without another word, and without what the kernel still keeps for it."""
        self._dropped = True
        self._out.reset()

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's is
        """Wait for a request, though not for ever."""
        self._out = LingeringTransport(transport, lambda: self._incoming)
        self._moved = self.loop.time()
        connection = transport.get_extra_info("socket")
        if self._certificate is not None and (connection is None or connection.family != socket.AF_UNIX):
            self._tls = TlsTransport(self._out, self._certificate.context())
        super().connection_made(cast(asyncio.Transport, self._tls or self._out))
        self.peer, self.user = peer_of(connection), user_of(connection)
        self._remembered = Remembered()
        if not evict_for([each for each in self._all() if each is not self], self.peer):
            self._end(falcon.HTTP_503, "Too many connections are open; close some, and try again.")
            return
        if self._tls is None:
            self._expect_head()
        else:
            self._late = self.loop.call_later(self.handshake_s, self.drop)
        self._look_later()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is expected any more."""
        self._expect_nothing()
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse it, and count it."""
        if self._out.lingers:
            self._out.drop(data)
        if self._out.is_closing():
            return
        self._moved = self.loop.time()
        if self._tls is None:
            self._parse(data)
        else:
            self._decrypt(self._tls, data)

    def _decrypt(self, tls: TlsTransport, data: bytes) -> None:
        begins = not tls.established
        try:
            data = tls.received(data)
        except PlainHttpError:
            self._end(falcon.HTTP_400, "TLS is spoken here; the address begins with https.")
            return
        except ssl.SSLError:
            self._out.close()
            return
        if begins and tls.established:
            self._expect_head()
        if data:
            self._parse(data)
        if tls.ended:
            self.transport.close()

    def _parse(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        self._besides += len(data)
        self._without_body += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._asks_for_websocket:  # else there is nothing to change to
                self._early += data[upgrade.args[0] :]
                self.flow.pause_reading()
        except httptools.HttpParserError:
            self._end(falcon.HTTP_400, "That is no request of HTTP/1.1.")
        if self._besides > MAX_HEAD + _CHUNKED * self._body or self._without_body > MAX_HEAD:
            self._end(falcon.HTTP_431, f"A request's address and headers can have at most {MAX_HEAD} bytes together.")

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._incoming = self._in_head = True
        self._expect_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One of its head. What stands behind a body is no header: it comes after all that headers are asked for."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """It can be answered."""
        self._in_head = False
        self._expect_nothing()
        version = self.parser.get_http_version()
        problem = head_problem(self.url, version, self.headers)
        if problem is None and len(self.pipeline) >= MOST_PIPELINED:
            problem = falcon.HTTP_429, "Too many requests come before their answers are read."
        if problem is not None:
            self._end(*problem)
            raise _RefusedError  # so that the parser ends
        self._asks_for_websocket = (
            self.parser.should_upgrade() and self._get_upgrade() == b"websocket" and self.parser.get_method() == b"GET"
        )
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of a body."""
        self._body += len(body)
        self._besides -= len(body)
        self._without_body = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The next request may begin."""
        self._incoming = False
        self._body = self._besides = self._without_body = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The next one of those that came too early is answered, before more are taken."""
        super().on_response_complete()
        if self.pipeline:
            self.flow.pause_reading()

    # Bounds of time

    def _expect_head(self) -> None:
        self._expect_nothing()
        self._late = self.loop.call_later(
            self.head_s, self._end, falcon.HTTP_408, f"No request came within {self.head_s:g} s."
        )

    def _expect_nothing(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _look_later(self) -> None:
        self._look = self.loop.call_later(self.read_s / _LOOKS, self._look_if_it_reads)

    def _look_if_it_reads(self) -> None:
        if self._reading.is_too_slow(self.loop.time(), self._out.sent, self.unsent, self.still_since, self.read_s):
            self.drop()
        else:
            self._look_later()

    # Answers

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application's, as every answer has to be."""
        begun = False
        mark_peer(scope, self.peer, self.user)
        mark_remembered(scope, self._remembered)
        if self._asks_for_websocket and scope is cast(Scope, self.scope):
            mark_upgrade(scope, self._take)

        async def send_ruled(event: MutableMapping[str, Any]) -> None:
            nonlocal begun
            if self._taken:
                return
            if event["type"] == "http.response.start":
                begun = True
                headers = with_policy(scope["path"], event.get("headers", ()), by_tls=self._tls is not None)
                if (self._incoming or self._asks_for_websocket) and self.scope is scope:
                    headers.append(_CLOSE)
                event = {**event, "headers": headers}
            await send(event)
            if self.unsent > _MUCH:
                evict_unread(self._all())

        try:
            await self._application(scope, receive, send_ruled)
        except Exception:
            if begun:
                raise
            log.exception("%s %s failed", scope["method"], scope["path"])
            content = _told(falcon.HTTP_500, "Something unexpected went wrong; the agent's log tells what.")
            headers = [_JSON, (b"content-length", str(len(content)).encode())]
            await send_ruled({"type": "http.response.start", "status": 500, "headers": headers})
            await send_ruled({"type": "http.response.body", "body": content})

    def _take(self) -> Taken | None:
        connection = self._out.give()
        if connection is None:
            return None
        self._taken = self.cycle.disconnected = True
        tls, self._tls = self._tls, None
        self.transport = cast(asyncio.Transport, self._out)  # so that nobody here says a word by the session
        return Taken(connection, tls, self._early)

    def _is_at_rest(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _all(self) -> list[Connection]:
        return [each for each in self.connections if isinstance(each, Connection) and not each._dropped]

    def _end(self, status: str, reason: str) -> None:
        if self._out.is_closing():
            return
        if self._is_at_rest():
            content = _told(status, reason)
            headers = [_JSON, (b"content-length", str(len(content)).encode()), _CLOSE]
            headers = with_policy("", headers, by_tls=self._tls is not None and self._tls.established)
            head = b"".join(b"%s: %s\r\n" % each for each in headers)
            self.transport.write(b"HTTP/1.1 %s\r\n%s\r\n%s" % (status.encode(), head, content))
        self.transport.close()


class _RefusedError(Exception):
    """It was answered already."""


def _told(status: str, reason: str) -> bytes:
    return orjson.dumps(error_body(status, reason))
