"""One conversation with an LDAP server: connect, encrypt, log in, search page by page; within a time and a size.

libldap parses what the server says, and never touches the network: it is given a local socket, behind which the
exchange counts time and bytes. A server that says a byte now and then keeps to every timeout that libldap has.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import ldap
from ldap.controls import SimplePagedResultsControl
from ldap.extop import ExtendedRequest

from reconciler.given_file import read_given
from reconciler.network.addresses import Networks
from reconciler.network.connecting import connect
from reconciler.network.exchange import KIB, Exchange, Patience
from reconciler.network.http import trusted
from reconciler.network.relay import relayed
from reconciler.network.wire import Wire, encrypted

MOST_BYTES: Final = 32 * 1024 * KIB  # of all answers to one question
_MOST_AUTHORITIES: Final = 4 << 20  # bytes of a file of certificates
_START_TLS: Final = "1.3.6.1.4.1.1466.20037"
_PORTS: Final = {"ldap": 389, "ldaps": 636}
# libldap opens a connection of its own after one that was lost; this leads nowhere.
_NOWHERE: Final = "ldapi://%2Fdev%2Fnull"

Attributes = Mapping[str, Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Entry:
    """What a directory has under one name. Names of attributes come as the server writes them."""

    dn: str
    attributes: Attributes

    def values(self, attribute: str) -> tuple[bytes, ...]:
        """What it has of one, whichever way that is written."""
        wanted = attribute.lower()
        return tuple(value for name, values in self.attributes.items() if name.lower() == wanted for value in values)

    def texts(self, attribute: str) -> tuple[str, ...]:
        """Those that are text."""
        found = []
        for value in self.values(attribute):
            with suppress(UnicodeDecodeError):
                found.append(value.decode())
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Page:
    """What one question found. `cookie` asks for what comes next, empty at the end; `cut` when a limit ended it."""

    entries: tuple[Entry, ...]
    cookie: bytes
    cut: bool


class LdapSession:
    """Made by `ldap_session`. Methods raise ldap.LDAPError."""

    def __init__(self, connection: Any, exchange: Exchange) -> None:
        self._connection = connection
        self._exchange = exchange

    def left_s(self) -> float:
        """How long it may still take. Raises OSError."""
        return self._exchange.left_s()

    def bind(self, dn: str, password: str | bytes) -> None:
        """Say who asks; nobody in particular with two empty texts. With that the server has begun to answer."""
        self._connection.simple_bind_s(dn, password)
        self._exchange.flows()

    def search(
        self,
        base: str,
        filter_text: str,
        attributes: Sequence[str],
        *,
        size: int,
        most: int,
        cookie: bytes = b"",
        only_base: bool = False,
    ) -> Page:
        """A page of about `size` entries below `base`, or that one; of a server that doesn't heed that, at most `most`.

        Attributes that aren't asked for aren't given: an entry may hold the hash of a password.
        """
        wanted = SimplePagedResultsControl(True, size=size, cookie=cookie)
        number = self._connection.search_ext(
            base, ldap.SCOPE_BASE if only_base else ldap.SCOPE_SUBTREE, filter_text, list(attributes),
            serverctrls=[wanted], timeout=max(1, round(self.left_s())),
        )  # fmt: skip
        found: list[Entry] = []
        try:
            while True:
                kind, messages, _, controls = self._connection.result3(number, all=0)
                # Those without a name are hints at other servers.
                found += [Entry(dn, attributes) for dn, attributes in messages or () if dn is not None]
                if kind == ldap.RES_SEARCH_RESULT:
                    return Page(tuple(found), _cookie(controls), cut=False)
                if len(found) > most:
                    return Page(tuple(found[:most]), b"", cut=True)
        except (ldap.TIMELIMIT_EXCEEDED, ldap.SIZELIMIT_EXCEEDED, ldap.ADMINLIMIT_EXCEEDED):
            return Page(tuple(found), b"", cut=True)

    def pages(
        self, base: str, filter_text: str, attributes: Sequence[str], *, size: int, most: int, only_base: bool = False
    ) -> Iterator[Page]:
        """One after the other; an empty one isn't the end."""
        cookie = b""
        while True:
            page = self.search(base, filter_text, attributes, size=size, most=most, cookie=cookie, only_base=only_base)
            yield page
            if page.cut or not page.cookie:
                return
            cookie = page.cookie


@contextmanager
def ldap_session(
    url: str, *, start_tls: bool, ca_file: Path | None, timeout_s: float, begin_s: float | None = None
) -> Iterator[LdapSession]:
    """A conversation that is over at the end of the block, or when its time is. Raises OSError, ldap.LDAPError.

    Within `begin_s` somebody has to be logged in.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    begin_s = min(timeout_s, begin_s or timeout_s)
    bounds = Patience(timeout_s, begin_s, begin_s, least_bytes_per_s=0, most_bytes=MOST_BYTES)
    with Exchange(bounds) as exchange:
        wire = Wire(connect(host, port, exchange, Networks.anywhere()), exchange)
        if start_tls:
            # In a conversation of its own: whatever somebody on the way has put behind the server's yes is forgotten.
            with _speaking(wire) as asking:
                asking.extop_s(ExtendedRequest(_START_TLS, None))
        if start_tls or parts.scheme == "ldaps":
            wire = encrypted(wire, _authorities(ca_file), host)
        with _speaking(wire) as connection:
            yield LdapSession(connection, exchange)


@contextmanager
def _speaking(wire: Wire) -> Iterator[Any]:
    connection = None
    try:
        with relayed(wire) as descriptor:
            connection = ldap.initialize(_NOWHERE, fileno=descriptor)
            connection.protocol_version = ldap.VERSION3
            connection.set_option(ldap.OPT_REFERRALS, ldap.OPT_OFF)  # nobody sends us, with a password, elsewhere
            connection.set_option(ldap.OPT_DEREF, ldap.DEREF_NEVER)  # whatever ldap.conf says
            yield connection
    finally:
        if connection is not None:  # behind the relay's end: the server doesn't hear of it, and may be spoken to again
            with suppress(ldap.LDAPError):
                connection.unbind_ext_s()


def _authorities(ca_file: Path | None) -> ssl.SSLContext:
    if ca_file is None:
        return trusted()
    return ssl.create_default_context(cadata=read_given(ca_file, _MOST_AUTHORITIES).decode("ascii", "replace"))


def _cookie(controls: Sequence[Any]) -> bytes:
    found = (each.cookie for each in controls if each.controlType == SimplePagedResultsControl.controlType)
    return bytes(next(found, b"") or b"")
