"""Sends requests to the application as the server would, without one: some thousand a second."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from api.http.forwarding import Forwarding
from api.http.peer import mark_peer
from reconciler.settings.proxies import Proxies

HANGS_S: Final = 60.0
_STREAM: Final = b"text/event-stream"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, as it comes over the wire."""

    method: str
    path: str  # percent-encoded
    query: bytes = b""
    headers: tuple[tuple[str, bytes], ...] = ()
    body: bytes = b""

    def __str__(self) -> str:
        body = self.body if len(self.body) <= 300 else self.body[:300] + b"..."
        query = f"?{self.query.decode('latin-1')}" if self.query else ""
        return f"{self.method} {self.path}{query} {self.headers} {body!r}"

    @property
    def wire(self) -> bytes:
        """All of it, to look for what an answer may repeat."""
        head = b"\n".join(name.encode() + b": " + value for name, value in self.headers)
        way = f"{self.path}\n{unquote(self.path)}\n{unquote(self.query.decode('latin-1'))}".encode("utf-8", "replace")
        return b"\n".join((way, self.query, head, self.body))


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def header(self, name: bytes) -> bytes:
        """The first of this name; empty without one."""
        return next((value for key, value in self.headers if key.lower() == name), b"")

    @property
    def wire(self) -> bytes:
        """All of it."""
        return b"\n".join((*(key + b": " + value for key, value in self.headers), self.body))


class InProcess:
    """Speaks to one application, in the event loop that runs."""

    def __init__(self, app: Any, peer: str) -> None:
        self._app = Forwarding(app, Proxies.of(()))
        self._peer = peer

    async def ask(self, asked: Asked) -> Answered:
        """The whole answer; of a stream its beginning. Raises TimeoutError for one that hangs."""
        exchange = _Exchange(asked.body)
        async with asyncio.timeout(HANGS_S):
            answering = asyncio.ensure_future(self._app(self._scope(asked), exchange.receive, exchange.send))
            streams = asyncio.ensure_future(exchange.streams.wait())
            try:
                await asyncio.wait((answering, streams), return_when=asyncio.FIRST_COMPLETED)
                if answering.done():
                    answering.result()
            finally:
                for each in (answering, streams):
                    each.cancel()
                await asyncio.gather(answering, streams, return_exceptions=True)
        return Answered(exchange.status, tuple(exchange.headers), b"".join(exchange.content))

    def _scope(self, asked: Asked) -> dict[str, Any]:
        length = [(b"content-length", str(len(asked.body)).encode())] if asked.body else []
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "server": ("127.0.0.1", 8010),
            "client": ("127.0.0.1", 40000),
            "scheme": "http",
            "root_path": "",
            "method": asked.method,
            "path": unquote(asked.path),
            "raw_path": asked.path.encode(),
            "query_string": asked.query,
            "headers": [(name.lower().encode(), value) for name, value in asked.headers] + length,
        }
        mark_peer(scope, self._peer, None)
        return scope


class _Exchange:
    def __init__(self, body: bytes) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.content: list[bytes] = []
        self._body: bytes | None = body
        self.streams = asyncio.Event()
        self._left = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.content.append(message.get("body", b""))
            streams = any(key.lower() == b"content-type" and value.startswith(_STREAM) for key, value in self.headers)
            if streams and message.get("body"):
                self.streams.set()
            if streams or not message.get("more_body", False):
                self._left.set()
