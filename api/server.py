"""Serves the application from a thread of this process, on an address of this machine, a Unix socket, or both.

The socket is bound before anything else begins, so that a port which is in use is told at once. Signals are the main
thread's business, logs go where the process's logs go.
"""

from __future__ import annotations

import asyncio
import functools
import math
import socket
import threading
from collections.abc import Collection, Sequence
from typing import Any

import falcon.asgi
import uvicorn

from api.http.certificate import Certificate
from api.http.connection import Connection
from api.http.forwarding import Forwarding, UserHeaders
from api.http.shutdown import GracefulShutdown
from reconciler.confined.unix_socket import UnixSocket
from reconciler.errors import SettingsError
from reconciler.settings.proxies import Proxies
from reconciler.settings.reachable import host_and_port

_BACKLOG = 128
_GRACE_S = 1.5  # for what is being answered at the end; `onggi run` has five seconds for everything


class _Server(uvicorn.Server):
    """Tells the application of its end."""

    def __init__(self, config: uvicorn.Config, graceful: GracefulShutdown) -> None:
        super().__init__(config)
        self._graceful = graceful

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """In the event loop, once `should_exit` is set."""
        self._graceful.begin()
        asyncio.get_running_loop().call_later(_GRACE_S, self._graceful.abort)
        await super().shutdown(sockets)


class Server:
    """`listen` is HOST:PORT, port 0 for a free one, empty for none. What proxies say of a request is believed of
    `trusted_proxies` alone, and who makes it, where `user_headers` says by which. With `certificate` the port speaks
    TLS. Raises SettingsError for an address that others can reach, unless it does and `has_login`, or that is `waived`.
    """

    def __init__(
        self,
        app: falcon.asgi.App[Any, Any],
        listen: str,
        trusted_proxies: Sequence[str] = (),
        unix: UnixSocket | None = None,
        certificate: Certificate | None = None,
        *,
        has_login: bool = False,
        waived: Collection[str] = (),
        user_headers: UserHeaders | None = None,
    ) -> None:
        self._listen = listen
        self._unix = unix
        self._scheme = "http" if certificate is None else "https"
        self._address = (
            host_and_port(listen, has_login=has_login, has_tls=certificate is not None, waived=waived)
            if listen
            else None
        )
        protocol: Any = functools.partial(Connection, certificate=certificate)  # uvicorn calls it, and no more
        config = uvicorn.Config(
            Forwarding(shutdown := GracefulShutdown(app), Proxies.of(trusted_proxies), user_headers), http=protocol,
            ws="none", lifespan="off", log_config=None, access_log=False, server_header=False, proxy_headers=False,
            timeout_graceful_shutdown=math.ceil(_GRACE_S),
        )  # fmt: skip
        self._server = _Server(config, shutdown)
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it answers, with the port that was really taken; empty before `start`."""
        if self._socket is None:
            return ""
        host, port = self._socket.getsockname()[:2]
        return f"{self._scheme}://[{host}]:{port}" if ":" in host else f"{self._scheme}://{host}:{port}"

    def start(self) -> None:
        """Take the port and the socket, and answer from now on. Raises SettingsError when one can't be had."""
        sockets = []
        if self._address is not None:
            self._socket = self._bound(self._address)
            sockets.append(self._socket)
        if self._unix is not None:
            try:
                sockets.append(self._unix.open())
            except SettingsError:
                self._close()
                raise
        self._thread = threading.Thread(target=self._server.run, args=(sockets,), name="onggi-api", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 2.5) -> None:
        """Answer what is being answered, take nothing new, end streams, and give the port back.

        What takes longer than a moment is answered with 503.
        """
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(timeout_s)
        self._close()

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        if self._unix is not None:
            self._unix.close()

    def _bound(self, wanted: tuple[str, int]) -> socket.socket:
        family, kind, protocol, _, address = socket.getaddrinfo(*wanted, type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, kind, protocol)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(address)
            made.listen(_BACKLOG)
        except OSError as error:
            made.close()
            raise SettingsError(
                f"{self._listen} can't be listened on ({error.strerror}); "
                "end who has it, or choose another port with --listen."
            ) from None
        return made
