"""Fetches what a URL offers, over http, https, ftp or ftps alone, without ever blocking the one who has to stop.

A thread of its own reads from the network, so that a silent server can't delay the agent's end, and so that reading and
writing overlap. Where the bytes go, and whether they are the right ones, is the caller's business.
"""

from __future__ import annotations

import ftplib
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from reconciler.errors import Cancelled, OnggiError, Terminal, Transient
from reconciler.observed.hypervisor.performing.redirects import check_redirect

if TYPE_CHECKING:
    import httpx

_CHUNK = 1024 * 1024
_AHEAD = 8  # chunks in memory at most
_CONNECT_TIMEOUT_S = 15.0
_SILENCE_TIMEOUT_S = 60.0
_LOOK_S = 0.2
_REDIRECTS = 5
_TRY_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Download:
    """`length` in bytes as announced, None when the server doesn't say. `chunks` can be iterated over once."""

    length: int | None
    chunks: Iterator[bytes]


@contextmanager
def download(url: str, stop: threading.Event) -> Iterator[Download]:
    """What `url` offers. Iterating raises Cancelled soon after `stop` is set, Transient or Terminal when it fails."""
    parts = _split(url)
    fetch = {"http": _http, "https": _http, "ftp": _ftp, "ftps": _ftp}.get(parts.scheme)
    if fetch is None:
        raise Terminal(f"{shown(url)} can't be downloaded: only http, https, ftp and ftps are; change the URL.")
    pipe = _Pipe(stop)
    thread = threading.Thread(target=_run, args=(fetch, url, pipe), name="onggi-download", daemon=True)
    thread.start()
    try:
        length = pipe.take()
        yield Download(length if isinstance(length, int) else None, _chunks(pipe))
    finally:
        pipe.abandoned.set()


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

    def __init__(self, stop: threading.Event) -> None:
        self.abandoned = threading.Event()
        self._stop = stop
        self._queue: queue.Queue[bytes | int | OnggiError | None] = queue.Queue(_AHEAD)

    def put(self, item: bytes | int | OnggiError | None) -> bool:
        """False when nobody wants it any more."""
        while not self.abandoned.is_set():
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
        # Its text may hold the URL with its password.
        pipe.put(Transient(f"{shown(url)} can't be downloaded ({type(error).__name__}).", retry_after_s=10.0))


def _http(url: str, pipe: _Pipe) -> None:
    import httpx  # takes a while to load, and few runs download anything

    timeout = httpx.Timeout(_SILENCE_TIMEOUT_S, connect=_CONNECT_TIMEOUT_S)
    # The file is wanted as it is stored: a compressed transfer would have no length to check.
    headers = {"Accept-Encoding": "identity"}

    def led(answer: httpx.Response) -> None:
        if answer.has_redirect_location:
            check_redirect(url, str(answer.url), str(answer.url.join(answer.headers["Location"])))

    try:
        with (
            httpx.Client(
                follow_redirects=True,
                max_redirects=_REDIRECTS,
                timeout=timeout,
                headers=headers,
                event_hooks={"response": [led]},
            ) as client,
            client.stream("GET", url) as answer,
        ):
            _check(url, answer)
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
    except httpx.HTTPError as error:
        raise Transient(f"{shown(url)} can't be downloaded now ({type(error).__name__}).", retry_after_s=10.0) from None


def _check(url: str, answer: httpx.Response) -> None:
    if answer.status_code in _TRY_LATER:
        raise Transient(f"{shown(url)} can't be downloaded now: the server answers {answer.status_code}.", 30.0)
    if answer.status_code != HTTPStatus.OK:
        raise Terminal(f"{shown(url)} can't be downloaded: the server answers {answer.status_code}; check the URL.")
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Terminal(f"{shown(url)} only comes compressed for transfer; use a URL that serves the file as it is.")


def _ftp(url: str, pipe: _Pipe) -> None:
    parts = urlsplit(url)
    client = ftplib.FTP_TLS() if parts.scheme == "ftps" else ftplib.FTP()  # noqa: S321  # declared; sha256 is what protects it
    path = unquote(parts.path).lstrip("/")
    try:
        with client:
            client.connect(parts.hostname or "", parts.port or 21, timeout=_CONNECT_TIMEOUT_S)
            client.login(unquote(parts.username or "anonymous"), unquote(parts.password or "anonymous@"))
            if isinstance(client, ftplib.FTP_TLS):
                client.prot_p()
            client.voidcmd("TYPE I")
            length = client.size(path)
            connection, _ = client.ntransfercmd(f"RETR {path}")
            with connection:
                connection.settimeout(_SILENCE_TIMEOUT_S)
                if not pipe.put(length):
                    return
                while chunk := connection.recv(_CHUNK):
                    if not pipe.put(chunk):
                        return
            client.voidresp()
    except (ftplib.error_perm, ValueError):
        raise Terminal(f"{shown(url)} can't be downloaded: the server refuses it; check path and user.") from None
    except (OSError, EOFError, ftplib.Error) as error:
        raise Transient(f"{shown(url)} can't be downloaded now ({type(error).__name__}).", retry_after_s=10.0) from None
