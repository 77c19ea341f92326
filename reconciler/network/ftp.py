"""FTP within an exchange: both connections go to the address that was checked, and end with the exchange.

With ftps the server has to prove by its certificate that it is the one of the URL, before anybody logs in.
"""

from __future__ import annotations

import ftplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.network.addresses import Networks
from reconciler.network.connecting import connect, connect_to
from reconciler.network.exchange import Exchange
from reconciler.network.names import Place
from reconciler.network.wire import Wire, encrypted


class FtpSession:
    """One login. Raises OSError, ftplib.Error, EOFError, NotAllowed."""

    def __init__(
        self, host: str, port: int, exchange: Exchange, networks: Networks, context: ssl.SSLContext | None
    ) -> None:
        self._exchange = exchange
        self._context = context  # None: in clear
        self._host = host
        self._ftp = ftplib.FTP()  # noqa: S321  # it speaks; sha256, or TLS, is what protects
        self._wire = Wire(connect(host, port, exchange, networks), exchange)
        self._speak_through(self._wire)
        self._ftp.host, self._ftp.welcome = host, self._ftp.getresp()

    def _speak_through(self, wire: Wire) -> None:
        self._ftp.sock, self._ftp.af = wire.socket, wire.socket.family
        self._ftp.file = wire.lines(self._ftp.encoding)

    def login(self, user: str, password: str) -> None:
        """Encrypted where that is wanted, or not at all."""
        if self._context is not None:
            self._ftp.voidcmd("AUTH TLS")
            self._wire = encrypted(self._wire, self._context, self._host)
            self._speak_through(self._wire)
        self._ftp.login(user, password)
        if self._context is not None:
            self._ftp.voidcmd("PBSZ 0")
            self._ftp.voidcmd("PROT P")
        self._ftp.voidcmd("TYPE I")

    def size(self, path: str) -> int | None:
        """How long a file is, where the server tells."""
        return self._ftp.size(path)

    @contextmanager
    def retrieved(self, path: str) -> Iterator[Wire]:
        """A file's bytes. The server chooses a port for them, and never another machine."""
        self._wire.socket.settimeout(self._exchange.left_s())
        _, port = self._ftp.makepasv()
        peer = self._wire.socket.getpeername()
        place = Place(self._wire.socket.family, (peer[0], port, *peer[2:]))
        wire = Wire(connect_to(place, self._exchange), self._exchange)
        try:
            answer = self._ftp.sendcmd(f"RETR {path}")
            if not answer.startswith("1"):
                raise OSError(answer)
            if self._context is not None:
                wire = encrypted(wire, self._context, self._host)
            yield wire
        finally:
            wire.close()

    def finish(self) -> None:
        """The server says that it was all."""
        self._exchange.asks()
        self._ftp.voidresp()
