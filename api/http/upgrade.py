"""A request that asks for its connection to speak WebSocket from then on, and the way to let it.

It is a GET like any other until it is granted: whatever guards requests guards it, with nothing to be kept in step, and
what is refused is answered as everywhere. So no scope of the type `websocket` is ever served. Who grants it takes the
connection out of the server's hands, and goes on with it where and as they like.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

import falcon.asgi

from api.http.tls_transport import TlsTransport

_KEY: Final = "onggi.upgrade"  # of a request's scope


@dataclass(frozen=True, slots=True)
class Taken:
    """A connection that is nobody's any more. Its TLS goes on, where there is some; `early` came after the request."""

    connection: socket.socket
    tls: TlsTransport | None
    early: bytes


Take = Callable[[], Taken | None]


def mark_upgrade(scope: MutableMapping[str, Any], take: Take) -> None:
    """Let a request be granted what it asks for. `take` gives None once its client has left."""
    scope[_KEY] = take


def upgrade_of(request: falcon.asgi.Request) -> Take | None:
    """How to take the request's connection; None for a request that doesn't ask for WebSocket."""
    found: Take | None = request.scope.get(_KEY)
    return found
