"""HTTP within an exchange: httpx, with connections that go to checked addresses and end with the exchange.

The name of the URL stays what the server is asked for, and what its certificate has to be for. A proxy that the
environment names for a URL is used: it is the operator's, and does the connecting itself, to names that it knows.
"""

# ruff: noqa: ARG002  # httpcore's methods are told timeouts and options, which the exchange decides about
from __future__ import annotations

import os
import ssl
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import httpcore
import httpx

from reconciler.network.addresses import Networks
from reconciler.network.connecting import allowed_places, connect
from reconciler.network.exchange import Exchange
from reconciler.network.wire import Wire, encrypted

# What a server, or the way to it, can do wrong.
BROKEN: Final = (OSError, httpx.HTTPError, httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError,
    httpcore.ProxyError, ValueError)  # fmt: skip


def client(
    exchange: Exchange,
    networks: Networks,
    *,
    headers: Mapping[str, str] | None = None,
    redirects: int = 0,
    on_redirect: Callable[[httpx.Response], None] | None = None,
) -> httpx.Client:
    """For this exchange alone. `on_redirect` is asked about each before it is followed. Requests raise what is in
    BROKEN, and NotAllowed.
    """

    def led(answer: httpx.Response) -> None:
        if on_redirect is not None and answer.has_redirect_location:
            on_redirect(answer)

    return httpx.Client(
        transport=_Transport(exchange, networks),
        trust_env=False,
        timeout=None,  # noqa: S113  # the exchange has bounds of its own
        headers=headers,
        follow_redirects=redirects > 0,
        max_redirects=redirects,
        event_hooks={"response": [led]},
    )


def trusted() -> ssl.SSLContext:
    """Whose certificates are believed: the usual authorities, or those of SSL_CERT_FILE and SSL_CERT_DIR."""
    return _trusted(os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", ""))


@lru_cache(maxsize=2)
def _trusted(_file: str, _folder: str) -> ssl.SSLContext:
    return httpx.create_ssl_context()


def proxy_for(url: str) -> str:
    """The proxy that the environment names for a URL; empty for none."""
    parts = urlsplit(url)
    if urllib.request.proxy_bypass(parts.netloc.rpartition("@")[2]):
        return ""
    found = urllib.request.getproxies_environment()
    proxy = found.get(parts.scheme, found.get("all", ""))
    return proxy if proxy.startswith("http://") or not proxy else f"http://{proxy}" if "://" not in proxy else ""


class _Transport(httpx.BaseTransport):
    """A connection for each request, which ends with its answer."""

    def __init__(self, exchange: Exchange, networks: Networks) -> None:
        self._exchange = exchange
        self._networks = networks

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        pool = self._pool(str(url), url.host, url.port)
        asked = httpcore.Request(
            request.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
        )
        try:
            answer = pool.handle_request(asked)
        except BaseException:
            pool.close()
            raise
        if not isinstance(answer.stream, Iterable):
            raise httpx.RemoteProtocolError("an answer without a body")
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Body(answer.stream, pool), extensions=answer.extensions
        )

    def _pool(self, url: str, host: str, port: int | None) -> httpcore.ConnectionPool:
        proxy = proxy_for(url)
        if not proxy:
            return httpcore.ConnectionPool(trusted(), network_backend=_Backend(self._exchange, self._networks))
        # The proxy may be inside, and know more names than this machine does; an address of its inside is refused here.
        with suppress(OSError):
            allowed_places(host, port or 0, self._networks, self._exchange.left_s(self._exchange.patience.connect_s))
        parts = urlsplit(proxy)
        auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        return httpcore.HTTPProxy(
            f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
            proxy_auth=auth,
            ssl_context=trusted(),
            network_backend=_Backend(self._exchange, Networks.anywhere(), led=False),
        )


class _Body(httpx.SyncByteStream):
    """An answer's bytes, as they come."""

    def __init__(self, stream: Iterable[bytes], pool: httpcore.ConnectionPool) -> None:
        self._stream = stream
        self._pool = pool

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        if hasattr(self._stream, "close"):
            self._stream.close()
        self._pool.close()


class _Backend(httpcore.NetworkBackend):
    """Makes httpcore's connections."""

    def __init__(self, exchange: Exchange, networks: Networks, *, led: bool = True) -> None:
        self._exchange = exchange
        self._networks = networks
        self._led = led

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """To an address that was checked. The bounds are the exchange's."""
        return _Stream(Wire(connect(host, port, self._exchange, self._networks, led=self._led), self._exchange))


class _Stream(httpcore.NetworkStream):
    """One connection, as httpcore speaks through it."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has come."""
        return self._wire.receive(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Say it all."""
        self._wire.send(buffer)

    def close(self) -> None:
        """Hang up."""
        self._wire.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same, encrypted."""
        return _Stream(encrypted(self._wire, ssl_context, server_hostname))

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks about a connection."""
        wire = self._wire.socket
        return {"ssl_object": wire if isinstance(wire, ssl.SSLSocket) else None, "socket": wire}.get(info)
