"""Fetches what a URL offers, over http, https, ftp or ftps alone, without ever blocking the one who has to stop.

A thread of its own reads from the network, so that reading and writing overlap; it ends with the block, whatever the
server does. Where the bytes go, and whether they are the right ones, is the caller's business.

To whom a URL's server can't be reached, one sentence has to do, whether nobody listens there, somebody is silent, or
speaks something else: an error is no map of the network. The log tells more.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from reconciler.errors import Cancelled, OnggiError, Terminal, Transient
from reconciler.network.addresses import Networks
from reconciler.network.exchange import Exchange, Patience
from reconciler.network.redirects import check_redirect

if TYPE_CHECKING:
    import httpx

log = logging.getLogger("onggi.network")

PATIENCE = Patience(overall_s=12 * 3600.0, begin_s=30.0)

_CHUNK = 1024 * 1024
_AHEAD = 8  # chunks in memory at most
_LOOK_S = 0.2
_REDIRECTS = 5
_TRY_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Download:
    """`length` in bytes as announced, None when the server doesn't say. `chunks` can be iterated over once."""

    length: int | None
    chunks: Iterator[bytes]


@contextmanager
def download(url: str, stop: threading.Event, networks: Networks, patience: Patience = PATIENCE) -> Iterator[Download]:
    """What `url` offers. Iterating raises Cancelled soon after `stop` is set, Transient or Terminal when it fails."""
    parts = _split(url)
    fetch = {"http": _http, "https": _http, "ftp": _ftp, "ftps": _ftp}.get(parts.scheme)
    if fetch is None:
        raise Terminal(f"{shown(url)} can't be downloaded: only http, https, ftp and ftps are; change the URL.")
    with Exchange(patience) as exchange:
        pipe = _Pipe(stop, exchange, networks)
        threading.Thread(target=_run, args=(fetch, url, pipe), name="onggi-download", daemon=True).start()
        length = pipe.take()
        yield Download(length if isinstance(length, int) else None, _chunks(pipe))


def shown(url: str) -> str:
    """A URL as it may be told to anybody: without user, password and query."""
    try:
        parts = _split(url)
    except Terminal:
        return "the URL"
    host = parts.hostname or ""
    return SplitResult(parts.scheme, f"{host}:{parts.port}" if parts.port else host, parts.path, "", "").geturl()


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # it is only looked at when it's asked for
    except ValueError:
        raise Terminal("The URL's host or port can't be one; correct it.") from None
    return parts


class _Pipe:
    """What the thread has read: first the length (or None), then chunks, then None at the end; or an error."""

    def __init__(self, stop: threading.Event, exchange: Exchange, networks: Networks) -> None:
        self.exchange = exchange
        self.networks = networks
        self._stop = stop
        self._queue: queue.Queue[bytes | int | OnggiError | None] = queue.Queue(_AHEAD)

    def put(self, item: bytes | int | OnggiError | None) -> bool:
        """False when nobody wants it any more."""
        while not self.exchange.given_up:
            try:
                self._queue.put(item, timeout=_LOOK_S)
            except queue.Full:
                continue
            return True
        return False

    def take(self) -> bytes | int | None:
        while True:
            if self._stop.is_set():
                raise Cancelled("the agent is stopping; the download begins again at the next start.")
            try:
                item = self._queue.get(timeout=_LOOK_S)
            except queue.Empty:
                continue
            if isinstance(item, OnggiError):
                raise item
            return item


def _chunks(pipe: _Pipe) -> Iterator[bytes]:
    while isinstance(chunk := pipe.take(), bytes):
        yield chunk


def _run(fetch: Callable[[str, _Pipe], None], url: str, pipe: _Pipe) -> None:
    try:
        fetch(url, pipe)
        pipe.put(None)
    except OnggiError as error:
        pipe.put(error)
    except Exception as error:
        if not pipe.exchange.given_up:
            # Its text may hold the URL with its password.
            pipe.put(Transient(f"{shown(url)} can't be downloaded ({type(error).__name__}).", retry_after_s=10.0))


def _broken(url: str, pipe: _Pipe, error: Exception, *, begun: bool) -> OnggiError:
    """What is told of a server that doesn't give what it should."""
    if not pipe.exchange.given_up:
        log.warning("%s can't be downloaded: %s: %s", shown(url), type(error).__name__, printable(error))
    if begun:
        return Transient(f"{shown(url)} can't be downloaded now: it broke off, or came too slowly.", retry_after_s=10.0)
    return Transient(f"{shown(url)} can't be downloaded now: no server gives it there.", retry_after_s=10.0)


def _http(url: str, pipe: _Pipe) -> None:
    import httpx  # takes a while to load, and few runs download anything

    from reconciler.network.http import BROKEN, client

    # The file is wanted as it is stored: a compressed transfer would have no length to check.
    headers = {"Accept-Encoding": "identity"}

    def led(answer: httpx.Response) -> None:
        check_redirect(url, str(answer.url), str(answer.url.join(answer.headers["Location"])))

    begun = False
    try:
        with (
            client(pipe.exchange, pipe.networks, headers=headers, redirects=_REDIRECTS, on_redirect=led) as asking,
            asking.stream("GET", url) as answer,
        ):
            _check(url, answer)
            pipe.exchange.flows()
            begun = True
            announced = answer.headers.get("Content-Length", "")
            length = int(announced) if announced.isascii() and announced.isdigit() else None
            if not pipe.put(length):
                return
            for chunk in answer.iter_raw(_CHUNK):
                if not pipe.put(chunk):
                    return
    except (httpx.UnsupportedProtocol, httpx.TooManyRedirects, httpx.InvalidURL):
        raise Terminal(
            f"{shown(url)} can't be downloaded: it leads in a circle, or to something that is neither http nor https."
        ) from None
    except BROKEN as error:
        raise _broken(url, pipe, error, begun=begun) from None


def _check(url: str, answer: httpx.Response) -> None:
    if answer.status_code in _TRY_LATER:
        raise Transient(f"{shown(url)} can't be downloaded now: the server answers {answer.status_code}.", 30.0)
    if answer.status_code != HTTPStatus.OK:
        raise Terminal(f"{shown(url)} can't be downloaded: the server answers {answer.status_code}; check the URL.")
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Terminal(f"{shown(url)} only comes compressed for transfer; use a URL that serves the file as it is.")


def _ftp(url: str, pipe: _Pipe) -> None:
    import ftplib

    from reconciler.network.ftp import FtpSession
    from reconciler.network.http import trusted

    parts = urlsplit(url)
    path = unquote(parts.path).lstrip("/")
    user, password = unquote(parts.username or "anonymous"), unquote(parts.password or "anonymous@")
    context = trusted() if parts.scheme == "ftps" else None
    greeted = begun = False
    try:
        session = FtpSession(parts.hostname or "", parts.port or 21, pipe.exchange, pipe.networks, context)
        greeted = True
        session.login(user, password)
        length = session.size(path)
        with session.retrieved(path) as wire:
            pipe.exchange.flows()
            begun = True
            if not pipe.put(length):
                return
            while chunk := wire.receive(_CHUNK):
                if not pipe.put(chunk):
                    return
        session.finish()
    except ftplib.error_perm as error:
        if not greeted:
            raise _broken(url, pipe, error, begun=False) from None
        raise Terminal(f"{shown(url)} can't be downloaded: the server refuses it; check path and user.") from None
    except (OSError, EOFError, ValueError, ftplib.Error) as error:
        raise _broken(url, pipe, error, begun=begun) from None


def printable(error: Exception) -> str:
    """What is wrong, on one line: a server may have had a hand in the text."""
    return "".join(each if each.isprintable() else "?" for each in str(error))[:200]
