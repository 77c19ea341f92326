"""The end of the server: what is being answered is finished, streams end, and whoever comes late is told so.

Wraps an application. What isn't answered when the time is up is answered with 503.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import falcon
import falcon.asgi
import orjson

from api.http.error_body import error_body

_KEY: Final = "onggi.closing"
_GONE: Final = "onggi.gone"
_RECEIVE: Final = "onggi.receive"
_REASON: Final = "The agent is ending; ask again when it's back. A change that was committed comes true then."

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class GracefulShutdown:
    """The ASGI application around `app`. `begin` and `cut` are called in the server's event loop."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._closing: asyncio.Event | None = None  # made in the loop that it belongs to
        self._tasks: set[asyncio.Task[Any]] = set()
        self._cut = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        closing = self._event()
        if closing.is_set():
            await _refuse(send)
            return
        scope[_KEY], scope[_GONE] = closing, (gone := asyncio.Event())
        scope[_RECEIVE] = receive = _watched(receive, gone)
        answer, task = _Answer(send), asyncio.current_task()
        assert task is not None  # noqa: S101  # a coroutine that runs is in one
        self._tasks.add(task)
        try:
            await self._app(scope, receive, answer)
        except asyncio.CancelledError:
            if not self._cut:
                raise
            task.uncancel()
            if not answer.begun:
                await _refuse(send)
        finally:
            self._tasks.discard(task)

    def begin(self) -> None:
        """Take nothing new, and end streams."""
        self._event().set()

    def abort(self) -> None:
        """Wait no longer."""
        self._cut = True
        for task in tuple(self._tasks):
            task.cancel()

    def _event(self) -> asyncio.Event:
        if self._closing is None:
            self._closing = asyncio.Event()
        return self._closing


def shutdown_of(request: falcon.asgi.Request) -> asyncio.Event:
    """Set when the server ends: whatever would go on for ever has to end with it."""
    found = request.scope.get(_KEY)
    return found if isinstance(found, asyncio.Event) else asyncio.Event()


def disconnected_of(request: falcon.asgi.Request) -> asyncio.Event:
    """Set when the client has left, if somebody listens to what it says."""
    found = request.scope.get(_GONE)
    return found if isinstance(found, asyncio.Event) else asyncio.Event()


def receive_of(request: falcon.asgi.Request) -> Receive | None:
    """What the client says further, for who has read the body."""
    found: Receive | None = request.scope.get(_RECEIVE)
    return found


def _watched(receive: Receive, gone: asyncio.Event) -> Receive:
    async def received() -> MutableMapping[str, Any]:
        event = await receive()
        if event["type"] == "http.disconnect":
            gone.set()
        return event

    return received


class _Answer:
    """Knows whether an answer has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False

    async def __call__(self, event: MutableMapping[str, Any]) -> None:
        self.begun = True
        await self._send(event)


async def _refuse(send: Send) -> None:
    content = orjson.dumps(error_body(falcon.HTTP_503, _REASON))
    headers = [
        (b"content-type", b"application/json;charset=utf-8"),
        (b"content-length", str(len(content)).encode()),
        (b"retry-after", b"5"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": content})
