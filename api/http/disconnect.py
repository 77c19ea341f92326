"""Work for a client who waits for it, given up when the client leaves: nobody would hear of what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import falcon.asgi

from api.http.shutdown import Receive, receive_of


@asynccontextmanager
async def while_connected(request: falcon.asgi.Request, left: Callable[[], None]) -> AsyncIterator[None]:
    """Calls `left` when the client leaves within the block. The request's body has to be read before."""
    receive = receive_of(request)
    watch = asyncio.create_task(_watch(receive, left)) if receive is not None else None
    try:
        yield
    finally:
        if watch is not None:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch


async def _watch(receive: Receive, left: Callable[[], None]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass  # the rest of a body that nobody wants
    left()
