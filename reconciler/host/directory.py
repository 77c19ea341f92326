"""The people whom an LDAP server knows. It is asked page by page, within a time, up to a number, and by few at once.

Logging in is done elsewhere; so are groups, which only the system's own database gives.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from reconciler.errors import OnggiError, SettingsError, Terminal, Transient
from reconciler.host.accounts import Names

PAGE: Final = 500
MOST_USERS: Final = 10_000
USERNAME: Final = "%(username)s"

# What is told of a user beside the name. Nothing else is ever asked for: an entry may hold the hash of a password.
_TOLD: Final = ("cn", "sn", "givenName", "displayName", "mail")
_AT_ONCE: Final = 4
_TURN_S: Final = 0.5  # for the others, which hold a thread as long

_PAGED_RESULTS = "1.2.840.113556.1.4.319"
_SUCCESS, _TIME_LIMIT, _SIZE_LIMIT, _ADMIN_LIMIT = 0, 3, 4, 11
_INVALID_CREDENTIALS = 49
_NO_SUCH_OBJECT = 32


@dataclass(frozen=True, slots=True)
class LdapSettings:
    """Which server to ask, and for whom. `user_filter` finds one user by `%(username)s`; `name_attribute` is what a
    user is called; `bind_password` is asked for each time. Raises SettingsError.
    """

    url: str  # ldap://HOST[:PORT] or ldaps://HOST[:PORT]
    search_base: str
    user_filter: str = f"(uid={USERNAME})"
    name_attribute: str = "uid"
    bind_dn: str = ""  # who asks; empty: nobody in particular
    bind_password: Callable[[], str] = field(default=str, repr=False)
    start_tls: bool = False
    ca_file: Path | None = None  # whom to trust; None: the system's authorities
    timeout_s: float = 20.0  # for a whole list

    def __post_init__(self) -> None:
        if "@" in self.url:  # and isn't repeated
            raise SettingsError("The LDAP server's URL names a user; say by ldap-bind-dn who asks.")
        try:
            parts = urlsplit(self.url)
            rest = parts.path or parts.query or parts.fragment
            usable = parts.scheme in ("ldap", "ldaps") and bool(parts.hostname) and parts.port != 0 and not rest
        except ValueError:
            usable = False
        if not usable:
            raise SettingsError(f"{self.url!r} isn't the URL of an LDAP server; give one such as ldap://localhost:389.")
        self._check_tls(parts.scheme == "ldaps", parts.hostname or "")
        if not self.search_base:
            raise SettingsError("The LDAP server isn't told where to look; give ldap-search-base.")
        if USERNAME not in self.user_filter:
            raise SettingsError(
                f"The LDAP filter {self.user_filter!r} lacks {USERNAME}; write it where a name belongs."
            )
        if not 0 < self.timeout_s < float("inf"):
            raise SettingsError(f"The time limit for LDAP is {self.timeout_s:g} s; give more than 0.")

    def _check_tls(self, ldaps: bool, host: str) -> None:
        if ldaps and self.start_tls:
            raise SettingsError("ldaps:// is encrypted from the beginning; leave ldap-start-tls away, or use ldap://.")
        if ldaps or self.start_tls:
            return
        if self.ca_file is not None:
            raise SettingsError("An ldap-ca-file without TLS would guard nothing; use ldaps:// or ldap-start-tls.")
        if self.bind_dn and not _is_this_machine(host):
            raise SettingsError(
                f"{self.url} would carry the password of ldap-bind-dn in clear; use ldaps:// or ldap-start-tls."
            )


class LdapAccounts:
    """The users of one directory. Connects for each question; every method may be called from any thread.

    Raises Transient when the server doesn't answer, or when many ask it just now; Terminal when it refuses.
    """

    def __init__(self, settings: LdapSettings) -> None:
        self._settings = settings
        self._free = threading.BoundedSemaphore(_AT_ONCE)

    def users(self) -> Names:
        """At most MOST_USERS names."""
        found: set[str] = set()
        reason = ""
        with self._connection() as (connection, deadline_s):
            cookie: bytes = b""
            while True:
                self._search(connection, self._filter("*"), PAGE, cookie, deadline_s)
                found.update(self._names(connection))
                if connection.result["result"] != _SUCCESS:
                    reason = f"The LDAP server tells of no more than {len(found)} users; raise its size limit."
                    break
                cookie = _cookie(connection)
                if len(found) >= MOST_USERS:
                    if cookie or len(found) > MOST_USERS:
                        reason = f"The directory has more than {MOST_USERS} users; only these are listed."
                    break
                if not cookie:
                    break
        return Names(tuple(sorted(found)[:MOST_USERS]), reason)

    def groups(self) -> Names:
        """None: groups are the system's."""
        return Names(reason="Groups are listed only when users are the system's.")

    def entry(self, user_id: str) -> Mapping[str, tuple[str, ...]] | None:
        """What the directory has of exactly this user, by attribute: names and mail addresses."""
        if not _can_be(user_id):
            return None
        with self._connection() as (connection, deadline_s):
            return self._entry(connection, user_id, deadline_s)

    def missing_user(self, user_ids: Iterable[str]) -> str | None:
        """The first of them that the directory doesn't have; all within the time limit."""
        wanted = list(user_ids)
        if not wanted or not _can_be(wanted[0]):
            return wanted[0] if wanted else None
        with self._connection() as (connection, deadline_s):
            return next(
                (each for each in wanted if not (_can_be(each) and self._entry(connection, each, deadline_s))), None
            )

    def missing_group(self, names: Iterable[str]) -> str | None:
        """The first one: there are none."""
        return next(iter(names), None)

    def _entry(self, connection: Any, user_id: str, deadline_s: float) -> Mapping[str, tuple[str, ...]] | None:
        from ldap3.utils.conv import escape_filter_chars

        name = self._settings.name_attribute
        self._search(connection, self._filter(escape_filter_chars(user_id)), 2, b"", deadline_s, (name, *_TOLD))
        found = (_texts(each) for each in connection.response or () if each.get("type") == "searchResEntry")
        return next((each for each in found if name.lower() in map(str.lower, each)), None)

    def _filter(self, name: str) -> str:
        found = self._settings.user_filter.replace(USERNAME, name)
        return found if found.startswith("(") else f"({found})"

    @contextmanager
    def _connection(self) -> Iterator[tuple[Any, float]]:
        """A bound connection, and when to give up."""
        if not self._free.acquire(timeout=_TURN_S):  # each may wait for its time, and others wait for answers too
            raise Transient("The LDAP server is being asked by many just now; try again in a moment.", 5.0)
        try:
            with self._bound() as found:
                yield found
        finally:
            self._free.release()

    @contextmanager
    def _bound(self) -> Iterator[tuple[Any, float]]:
        import ldap3
        from ldap3.core.exceptions import LDAPException

        settings = self._settings
        password = settings.bind_password() if settings.bind_dn else ""
        if settings.ca_file is not None and not settings.ca_file.is_file():
            raise Terminal(f"The ldap-ca-file {settings.ca_file} isn't there; put the authorities' certificates there.")
        deadline_s = time.monotonic() + settings.timeout_s
        patience_s = max(1, round(settings.timeout_s))
        ca_file = str(settings.ca_file) if settings.ca_file else None
        connection = None
        try:
            server = ldap3.Server(
                settings.url,
                tls=ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=ca_file),
                get_info=ldap3.NONE,
                connect_timeout=patience_s,
            )
            connection = ldap3.Connection(
                server,
                user=settings.bind_dn or None,
                password=password or None,
                authentication=ldap3.SIMPLE if settings.bind_dn else ldap3.ANONYMOUS,
                read_only=True,
                auto_referrals=False,  # a server doesn't send us, with a password, to another one
                check_names=False,
                receive_timeout=patience_s,
            )
            with _cut_off(connection, settings.timeout_s):
                connection.open()
                if settings.start_tls and not connection.start_tls():
                    raise self._refused(connection.result)
                if not connection.bind():
                    raise self._refused(connection.result)
                yield connection, deadline_s
        except OnggiError:
            raise
        except (LDAPException, OSError, ssl.SSLError) as error:
            raise Transient(
                f"The LDAP server {settings.url} can't be asked ({type(error).__name__}); check that it runs and that "
                f"its address and certificate are right.",
                retry_after_s=10.0,
            ) from None
        finally:
            if connection is not None:
                with suppress(LDAPException, OSError):
                    connection.unbind()

    def _search(
        self,
        connection: Any,
        filter_text: str,
        page: int,
        cookie: bytes,
        deadline_s: float,
        attributes: tuple[str, ...] = (),
    ) -> None:
        """One page into `connection.response`. A limit of the server's isn't an error; what it gave is there."""
        from ldap3.core.exceptions import LDAPInvalidFilterError

        left_s = deadline_s - time.monotonic()
        if left_s <= 0:
            raise Transient(
                f"The LDAP server {self._settings.url} didn't tell of all users within {self._settings.timeout_s:g} s; "
                f"narrow ldap-search-base or ldap-user-filter.",
                retry_after_s=10.0,
            )
        try:
            connection.search(
                self._settings.search_base,
                filter_text,
                attributes=[*(attributes or (self._settings.name_attribute,))],
                time_limit=max(1, round(left_s)),
                paged_size=page,
                paged_cookie=cookie or None,
            )
        except LDAPInvalidFilterError:
            raise Terminal(f"The LDAP filter {self._settings.user_filter!r} is malformed; correct it.") from None
        if connection.result["result"] not in (_SUCCESS, _TIME_LIMIT, _SIZE_LIMIT, _ADMIN_LIMIT):
            raise self._refused(connection.result)

    def _refused(self, result: dict[str, Any]) -> Terminal:
        remedy = {
            _INVALID_CREDENTIALS: "check the bind DN and its password",
            _NO_SUCH_OBJECT: f"check the search base {self._settings.search_base!r}",
        }.get(result["result"], "check the LDAP settings, and what the server allows")
        return Terminal(f"The LDAP server {self._settings.url} refuses: {result['description']}; {remedy}.")

    def _names(self, connection: Any) -> Iterator[str]:
        for entry in connection.response or ():
            if entry.get("type") != "searchResEntry":
                continue  # a hint at another server
            for attribute, values in entry["raw_attributes"].items():
                if attribute.lower() == self._settings.name_attribute.lower():
                    with suppress(UnicodeDecodeError):
                        yield from (value.decode() for value in values[:1])


@contextmanager
def _cut_off(connection: Any, seconds: float) -> Iterator[None]:
    """Closes it then, whatever it is at: a server that says a little now and then keeps to every other limit."""

    def cut() -> None:
        with suppress(OSError, AttributeError, TypeError):
            socket.socket.shutdown(connection.socket, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _can_be(user_id: str) -> bool:
    """Whether it can be a name at all: half a character can't be asked for."""
    try:
        return bool(user_id.encode())
    except UnicodeEncodeError:
        return False


def _texts(entry: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The attributes of an entry that have values that are text."""
    found = {}
    for attribute, values in entry["raw_attributes"].items():
        with suppress(UnicodeDecodeError):
            if values:
                found[str(attribute)] = tuple(value.decode() for value in values)
    return found


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _cookie(connection: Any) -> bytes:
    control = (connection.result.get("controls") or {}).get(_PAGED_RESULTS) or {}
    return bytes((control.get("value") or {}).get("cookie") or b"")
