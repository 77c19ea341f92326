"""Talks JSON to one API over HTTP, in bounds: of time, of size, and of where the token may go.

The token is sent to the configured address and nowhere else: a redirect is an error, and links in answers aren't
followed. Neither an error nor a log holds it.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from reconciler.errors import Terminal, Transient
from reconciler.network.addresses import Networks
from reconciler.network.exchange import KIB, Exchange, GivenUp, Patience
from reconciler.secret_file import SecretFile
from reconciler.version import VERSION
from specs.plain import NewJson

if TYPE_CHECKING:
    import httpx

log = logging.getLogger("onggi.forge")

PATIENCE = Patience(overall_s=60.0, begin_s=15.0, window_s=15.0, least_bytes_per_s=KIB)
_MOST_BYTES: Final = 8 << 20
_MOST_PAGES: Final = 20
_TRY_LATER: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_WAIT_S: Final = 3600.0
_NEXT: Final = re.compile(r'rel="?next"?')


class RefusedError(Terminal):
    """The forge said no. `status` is the HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class ForgeClient:
    """`authorise` makes the headers that carry the token. Safe for several threads."""

    def __init__(self, api: str, token: SecretFile, authorise: Callable[[str], Mapping[str, str]]) -> None:
        self._api = api
        self._token = token
        self._authorise = authorise
        self._lock = threading.Lock()
        self._under_way: set[Exchange] = set()
        self._closed = False

    def call(self, method: str, path: str, body: object | None = None, **query: str | int) -> Any:
        """The answer's JSON; None when it is empty. Raises Transient, RefusedError, or Terminal without a token."""
        return self._call(method, path, body, query)[0]

    def pages(self, path: str, **query: str | int) -> list[NewJson]:
        """The objects of a list, from all its pages (as many as anybody could mean)."""
        found: list[NewJson] = []
        for page in range(1, _MOST_PAGES + 1):
            items, link = self._call("GET", path, None, {**query, "page": page})
            if not isinstance(items, list):
                raise Terminal(
                    f"{self._api} answers {path} with something else than a list; check --forge and its URL."
                )
            found.extend(item for item in items if isinstance(item, dict))
            # The link itself could lead anywhere; that there is one is all that counts.
            if not items or not _NEXT.search(link):
                break
        return found

    def close(self) -> None:
        """Give up what is being asked. Nothing is asked after that."""
        with self._lock:
            self._closed = True
            for each in self._under_way:
                each.cut()

    def _call(self, method: str, path: str, body: object | None, query: Mapping[str, str | int]) -> tuple[Any, str]:
        # Takes a while to load, and only agents with a forge need it.
        from reconciler.network.http import BROKEN, client

        try:
            token = self._token.secrets()[0].decode("ascii")
        except UnicodeDecodeError:
            raise Terminal(
                f"The token in {self._token.path} isn't plain text; write the forge's token there."
            ) from None
        headers = {**self._authorise(token), "User-Agent": f"onggi/{VERSION}", "Accept": "application/json"}
        headers["Accept-Encoding"] = "identity"  # what is small on the wire is small here
        try:
            with (
                self._exchange() as exchange,
                client(exchange, Networks.anywhere(), headers=headers) as asking,
                asking.stream(method, self._api + path, params=dict(query), json=body) as answer,
            ):
                exchange.flows()
                content = self._read(answer)
                self._check(method, path, answer, content)
                link = answer.headers.get("Link", "")
        except BROKEN as error:
            log.debug("%s: %s", self._api, type(error).__name__)
            raise Transient(
                f"{self._api} can't be reached ({type(error).__name__}); check the network and --forge-url.", 10.0
            ) from None
        if not content.strip():
            return None, link
        try:
            return json.loads(content), link
        except (ValueError, RecursionError):
            raise Terminal(f"{self._api} doesn't answer {path} in JSON; check --forge and --forge-url.") from None

    @contextmanager
    def _exchange(self) -> Iterator[Exchange]:
        with Exchange(PATIENCE) as exchange:
            with self._lock:
                if self._closed:
                    raise GivenUp("closed")
                self._under_way.add(exchange)
            try:
                yield exchange
            finally:
                with self._lock:
                    self._under_way.discard(exchange)

    def _read(self, answer: httpx.Response) -> bytes:
        content = bytearray()
        for chunk in answer.iter_raw():
            content += chunk
            if len(content) > _MOST_BYTES:
                raise Terminal(f"{self._api} answers with more than {_MOST_BYTES >> 20} MiB; check --forge-url.")
        return bytes(content)

    def _check(self, method: str, path: str, answer: httpx.Response, content: bytes) -> None:
        status = answer.status_code
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return
        if (
            status in _TRY_LATER
            or answer.headers.get("Retry-After")
            or answer.headers.get("X-RateLimit-Remaining") == "0"
        ):
            raise Transient(f"{self._api} can't answer now ({status}).", _wait_s(answer.headers))
        if status == HTTPStatus.UNAUTHORIZED:
            raise RefusedError(
                f"{self._api} doesn't take the token in {self._token.path}; write a good one there.", status
            )
        if status < HTTPStatus.BAD_REQUEST:
            raise RefusedError(
                f"{self._api} answers with a redirect; give --forge-url the address it leads to.", status
            )
        raise RefusedError(
            f"{self._api} refuses {method} {path} ({status}{_reason(content)}); check --forge-repository, and that the "
            "token may read pull requests and write comments and commit statuses.",
            status,
        )


def _wait_s(headers: Mapping[str, str]) -> float:
    given = headers.get("Retry-After", "")
    return min(float(given), _LONGEST_WAIT_S) if given.isascii() and given.isdecimal() else 30.0


def _reason(content: bytes) -> str:
    """What the forge says about it, short and on one line."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    message = found.get("message") if isinstance(found, dict) else None
    text = " ".join("".join(each if each.isprintable() else " " for each in str(message or "")).split())
    return f": {text[:120]}" if text else ""
