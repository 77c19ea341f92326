"""The people whom an LDAP server knows. It is asked page by page, within a time, up to a number, and by few at once.

Logging in is done elsewhere; so are groups, which only the system's own database gives.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from reconciler.errors import OnggiError, SettingsError, Terminal, Transient
from reconciler.host.accounts import Names
from reconciler.network.limits import Limit

if TYPE_CHECKING:
    from reconciler.host.ldap_session import Entry, LdapSession, Page

log = logging.getLogger("onggi.network")

PAGE: Final = 500
MOST_USERS: Final = 10_000
USERNAME: Final = "%(username)s"

# What is told of a user beside the name. Nothing else is ever asked for: an entry may hold the hash of a password.
_TOLD: Final = ("cn", "sn", "givenName", "displayName", "mail")
_AT_ONCE: Final = 4
_INVALID_CREDENTIALS = 49
_BUSY, _UNAVAILABLE = 51, 52
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
        self._limit = Limit(_AT_ONCE)

    def users(self) -> Names:
        """At most MOST_USERS names."""
        found: set[str] = set()
        cookie = b""
        with self._session() as session:
            while True:
                page = self._search(session, "*", (), size=PAGE, most=MOST_USERS + 1, cookie=cookie)
                found.update(self._names(page.entries))
                if len(found) > MOST_USERS or (len(found) == MOST_USERS and page.cookie):
                    reason = f"The directory has more than {MOST_USERS} users; only these are listed."
                    return Names(tuple(sorted(found)[:MOST_USERS]), reason)
                if page.cut:
                    reason = f"The LDAP server tells of no more than {len(found)} users; raise its size limit."
                    return Names(tuple(sorted(found)), reason)
                if not page.cookie:
                    return Names(tuple(sorted(found)))
                cookie = page.cookie

    def groups(self) -> Names:
        """None: groups are the system's."""
        return Names(reason="Groups are listed only when users are the system's.")

    def entry(self, user_id: str) -> Mapping[str, tuple[str, ...]] | None:
        """What the directory has of exactly this user, by attribute: names and mail addresses."""
        if not _can_be(user_id):
            return None
        with self._session() as session:
            return self._entry(session, user_id)

    def missing_user(self, user_ids: Iterable[str]) -> str | None:
        """The first of them that the directory doesn't have; all within the time limit."""
        wanted = list(user_ids)
        if not wanted or not _can_be(wanted[0]):
            return wanted[0] if wanted else None
        with self._session() as session:
            return next((each for each in wanted if not (_can_be(each) and self._entry(session, each))), None)

    def missing_group(self, names: Iterable[str]) -> str | None:
        """The first one: there are none."""
        return next(iter(names), None)

    def _entry(self, session: LdapSession, user_id: str) -> Mapping[str, tuple[str, ...]] | None:
        from ldap.filter import escape_filter_chars

        name = self._settings.name_attribute
        page = self._search(session, escape_filter_chars(user_id), _TOLD, size=2, most=2)
        return next((each for each in map(_texts, page.entries) if name.lower() in map(str.lower, each)), None)

    def _search(
        self, session: LdapSession, name: str, told: tuple[str, ...], *, size: int, most: int, cookie: bytes = b""
    ) -> Page:
        settings = self._settings
        wanted = settings.user_filter.replace(USERNAME, name)
        wanted = wanted if wanted.startswith("(") else f"({wanted})"
        attributes = (settings.name_attribute, *told)
        return session.search(settings.search_base, wanted, attributes, size=size, most=most, cookie=cookie)

    @contextmanager
    def _session(self) -> Iterator[LdapSession]:
        """A conversation in which somebody has logged in."""
        import ldap  # what only an agent with a directory loads

        from reconciler.host.ldap_session import ldap_session

        settings = self._settings
        with self._limit.turn("The LDAP server is"):
            password = settings.bind_password() if settings.bind_dn else ""
            if settings.ca_file is not None and not settings.ca_file.is_file():
                raise Terminal(
                    f"The ldap-ca-file {settings.ca_file} isn't there; put the authorities' certificates there."
                )
            try:
                with ldap_session(
                    settings.url, start_tls=settings.start_tls, ca_file=settings.ca_file, timeout_s=settings.timeout_s
                ) as session:
                    session.bind(settings.bind_dn, password)
                    yield session
            except ldap.FILTER_ERROR:
                raise Terminal(f"The LDAP filter {settings.user_filter!r} is malformed; correct it.") from None
            except OnggiError:
                raise
            except Exception as error:  # of the network, of libldap, or of whatever takes apart what the server says
                raise self._failure(error) from None

    def _failure(self, error: Exception) -> OnggiError:
        """The server's own refusal, or that it can't be asked; the log tells why."""
        about = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
        code, words = about.get("result", -1), about.get("desc", "")
        if code > 0 and code not in (_BUSY, _UNAVAILABLE):
            remedy = {
                _INVALID_CREDENTIALS: "check the bind DN and its password",
                _NO_SUCH_OBJECT: f"check the search base {self._settings.search_base!r}",
            }.get(code, "check the LDAP settings, and what the server allows")
            return Terminal(f"The LDAP server {self._settings.url} refuses: {words}; {remedy}.")
        log.warning("the LDAP server can't be asked: %s: %s", type(error).__name__, words or error)
        return Transient(
            f"The LDAP server {self._settings.url} can't be asked within {self._settings.timeout_s:g} s; check that it "
            "runs and that its address and certificate are right, or narrow ldap-search-base or ldap-user-filter.",
            retry_after_s=10.0,
        )

    def _names(self, entries: Iterable[Entry]) -> Iterator[str]:
        for entry in entries:
            for attribute, values in entry.items():
                if attribute.lower() == self._settings.name_attribute.lower():
                    with suppress(UnicodeDecodeError):
                        yield from (value.decode() for value in values[:1])


def _can_be(user_id: str) -> bool:
    """Whether it can be a name at all: half a character can't be asked for."""
    try:
        return bool(user_id.encode())
    except UnicodeEncodeError:
        return False


def _texts(entry: Entry) -> dict[str, tuple[str, ...]]:
    """The attributes of an entry that have values that are text."""
    found = {}
    for attribute, values in entry.items():
        with suppress(UnicodeDecodeError):
            if values:
                found[attribute] = tuple(value.decode() for value in values)
    return found


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
