"""TLS between a connection's transport and its protocol: what the client sends is decrypted, what is written encrypted.

It stands on the transport that a connection has from its first moment on, so that a client in the middle of its
handshake, or that never begins one, is counted, bounded and sent away like any other.
"""

from __future__ import annotations

import contextlib
import ssl
from typing import Any, Final

_PIECE: Final = 256 * 1024
_PLAIN_HTTP: Final = "HTTP_REQUEST"


class PlainHttpError(Exception):
    """The client doesn't speak TLS but HTTP; what is written from now on reaches it as it is."""


class TlsTransport:
    """Stands for `transport`. Nothing is written before the handshake is through."""

    def __init__(self, transport: Any, context: ssl.SSLContext) -> None:
        self._transport = transport
        self._came, self._goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._came, self._goes, server_side=True)
        self._plain = False
        self._parted = False
        self.established = False
        self.ended = False  # the client said that nothing more comes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As a transport does; `sslcontext` tells that this is one with TLS."""
        return self._tls.context if name == "sslcontext" else self._transport.get_extra_info(name, default)

    def received(self, data: bytes) -> bytes:
        """What the client says by this. Raises PlainHttpError, and SSLError for what is no TLS of ours."""
        self._came.write(data)
        said = bytearray()
        try:
            if not self.established:
                self._tls.do_handshake()
                self.established = True
            while piece := self._tls.read(_PIECE):
                said += piece
            self.ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            if error.reason == _PLAIN_HTTP:
                self._goes.read()
                self._plain = True
                raise PlainHttpError from None
            raise
        finally:
            self._flush()  # also why it is refused
        return bytes(said)

    def write(self, data: bytes) -> None:
        """As a transport does."""
        if self._plain:
            self._transport.write(data)
            return
        if not self.established or self._parted:
            return
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._tls.write(rest) :]
        except ssl.SSLError:  # the client has broken off, and nothing reaches it any more
            self._parted = True
            self._transport.close()
            return
        self._flush()

    def close(self) -> None:
        """Once all is sent, and after telling the client that it was all."""
        if self.established and not self._parted:
            self._parted = True
            with contextlib.suppress(ssl.SSLError):  # it wants the client's word for it, which nobody waits for
                self._tls.unwrap()
            self._flush()
        self._transport.close()

    def on(self, transport: Any) -> TlsTransport:
        """The same session, from now on on that transport of the same connection."""
        self._transport = transport
        return self

    def _flush(self) -> None:
        if data := self._goes.read():
            self._transport.write(data)
