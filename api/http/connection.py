"""One connection of a client, in bounds: of the size of a request's head, of the time that it takes to come, and of how
many there are at once. Uvicorn has none for these with httptools.

A body's bounds are for who reads it.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import falcon
import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD: Final = 64 * 1024
MOST_AT_ONCE: Final = 512  # services often have no more than 1024 files open
_HEAD_S: Final = 30.0
_CHUNKED: Final = 8  # what a byte of a body may need besides, in the smallest chunks that somebody sends


class Connection(HttpToolsProtocol):
    """Ends with an answer when a bound is crossed."""

    head_s: float = _HEAD_S

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._late: asyncio.TimerHandle | None = None
        self._body = 0  # bytes of this request's body so far
        self._besides = 0  # all others: its head, the frames of chunks, what stands behind them

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's is
        """Wait for a request, though not for ever."""
        super().connection_made(transport)
        if len(self.connections) > MOST_AT_ONCE:
            self._end(falcon.HTTP_503, "Too many connections are open; close some, and try again.")
        else:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is expected any more."""
        self._expect_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse it, and count it."""
        if self.transport.is_closing():
            return
        self._besides += len(data)
        super().data_received(data)
        if self._besides > MAX_HEAD + _CHUNKED * self._body:
            self._end(falcon.HTTP_431, f"A request's address and headers can have at most {MAX_HEAD} bytes together.")

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._expect_head()

    def on_headers_complete(self) -> None:
        """It can be answered."""
        self._expect_nothing()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of a body."""
        self._body += len(body)
        self._besides -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The next request may begin."""
        self._body = self._besides = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """For what can't be parsed."""
        self._end(falcon.HTTP_400, msg)

    def _expect_head(self) -> None:
        self._expect_nothing()
        self._late = self.loop.call_later(
            self.head_s, self._end, falcon.HTTP_408, f"No request came within {self.head_s:g} s."
        )

    def _expect_nothing(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _end(self, status: str, reason: str) -> None:
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            content = orjson.dumps({"code": status, "reason": reason})
            head = f"HTTP/1.1 {status}\r\nContent-Type: application/json;charset=utf-8\r\n"
            head += f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n"
            self.transport.write(head.encode() + content)
        self.transport.close()
