"""The way out of a connection: counts what leaves, and closes so that the other end can still read the answer.

A socket that is closed while something unread lies in it is reset, and the answer that was on its way is lost. So the
direction to the client is closed first, and a little of what it still sends is dropped, for a moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Callable
from typing import Any, Final

_MOST_DROPPED: Final = 64 * 1024
_LINGER_S: Final = 1.0


class LingeringTransport:
    """Stands for a transport. `comes_more` tells whether the client is in the middle of sending something."""

    def __init__(self, transport: asyncio.Transport, comes_more: Callable[[], bool]) -> None:
        self._transport = transport
        self._comes_more = comes_more
        self._written = 0
        self._dropped = 0
        self.lingers = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    @property
    def unsent(self) -> int:
        """Bytes that the client hasn't taken yet."""
        return self._transport.get_write_buffer_size()

    @property
    def sent(self) -> int:
        """Bytes that it has."""
        return self._written - self.unsent

    def write(self, data: bytes) -> None:
        """As a transport does; once it was closed there is nobody who would read it."""
        if self.lingers:
            return
        self._written += len(data)
        self._transport.write(data)

    def is_closing(self) -> bool:
        """Nothing more is to be written."""
        return self.lingers or self._transport.is_closing()

    def close(self) -> None:
        """Once all is sent; at once where nothing comes that would be in the way."""
        if self.is_closing():
            return
        if not self._comes_more():
            self._transport.close()
            return
        self.lingers = True
        self._transport.write_eof()
        self._transport.resume_reading()
        asyncio.get_running_loop().call_later(_LINGER_S, self._transport.close)

    def give(self) -> socket.socket | None:
        """The connection itself, which stays open while this ends; None when it is closing, or something is unsent."""
        connection = self._transport.get_extra_info("socket")
        if connection is None or self.is_closing() or self.unsent:
            return None
        given = socket.socket(fileno=os.dup(connection.fileno()))
        given.setblocking(False)
        self._transport.abort()
        return given

    def reset(self) -> None:
        """At once, whatever is unsent."""
        if (connection := self._transport.get_extra_info("socket")) is not None:
            with contextlib.suppress(OSError):  # it's closed
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def drop(self, data: bytes) -> None:
        """What comes while nobody listens any more."""
        self._dropped += len(data)
        if self._dropped > _MOST_DROPPED:
            self._transport.close()
