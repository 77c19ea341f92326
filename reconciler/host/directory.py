"""The people whom an LDAP server knows. It is asked page by page, within a time, and up to a number.

Logging in is done elsewhere; so are groups, which only the system's own database gives.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
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

_PAGED_RESULTS = "1.2.840.113556.1.4.319"
_SUCCESS, _TIME_LIMIT, _SIZE_LIMIT, _ADMIN_LIMIT = 0, 3, 4, 11
_INVALID_CREDENTIALS = 49
_NO_SUCH_OBJECT = 32


@dataclass(frozen=True, slots=True)
class LdapSettings:
    """Which server to ask, and for whom. `user_filter` finds one user by `%(username)s`; `name_attribute` is what a
    user is called. Raises SettingsError.
    """

    url: str  # ldap://HOST[:PORT] or ldaps://HOST[:PORT]
    search_base: str
    user_filter: str = f"(uid={USERNAME})"
    name_attribute: str = "uid"
    bind_dn: str = ""  # who asks; empty: nobody in particular
    bind_password: str = field(default="", repr=False)
    start_tls: bool = False
    ca_file: Path | None = None  # whom to trust; None: the system's authorities
    timeout_s: float = 20.0  # for a whole list

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            usable = parts.scheme in ("ldap", "ldaps") and bool(parts.hostname) and parts.port != 0 and not parts.path
        except ValueError:
            usable = False
        if not usable:
            raise SettingsError(f"{self.url!r} isn't the URL of an LDAP server; give one such as ldap://localhost:389.")
        if USERNAME not in self.user_filter:
            raise SettingsError(
                f"The LDAP filter {self.user_filter!r} lacks {USERNAME}; write it where a name belongs."
            )
        if not 0 < self.timeout_s < float("inf"):
            raise SettingsError(f"The time limit for LDAP is {self.timeout_s:g} s; give more than 0.")


class LdapAccounts:
    """The users of one directory. Connects for each question; every method may be called from any thread."""

    def __init__(self, settings: LdapSettings) -> None:
        self._settings = settings

    def users(self) -> Names:
        """At most MOST_USERS names. Raises Transient when the server doesn't answer, Terminal when it refuses."""
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
        return Names(reason="Groups are listed only with PAM authentication.")

    def exists(self, user_id: str) -> bool:
        """Whether the directory has exactly this user. Raises as `users` does."""
        from ldap3.utils.conv import escape_filter_chars

        try:
            user_id.encode()
        except UnicodeEncodeError:
            return False
        if not user_id:
            return False
        with self._connection() as (connection, deadline_s):
            self._search(connection, self._filter(escape_filter_chars(user_id)), 2, b"", deadline_s)
            return any(self._names(connection))

    def _filter(self, name: str) -> str:
        found = self._settings.user_filter.replace(USERNAME, name)
        return found if found.startswith("(") else f"({found})"

    @contextmanager
    def _connection(self) -> Iterator[tuple[Any, float]]:
        """A bound connection, and when to give up."""
        import ldap3
        from ldap3.core.exceptions import LDAPException

        settings = self._settings
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
                password=settings.bind_password or None,
                authentication=ldap3.SIMPLE if settings.bind_dn else ldap3.ANONYMOUS,
                read_only=True,
                auto_referrals=False,  # a server doesn't send us, with a password, to another one
                check_names=False,
                receive_timeout=patience_s,
            )
            connection.open()
            if settings.start_tls:
                connection.start_tls()
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

    def _search(self, connection: Any, filter_text: str, page: int, cookie: bytes, deadline_s: float) -> None:
        """One page into `connection.response`. A limit of the server's isn't an error; what it gave is there."""
        from ldap3.core.exceptions import LDAPInvalidFilterError

        left_s = deadline_s - time.monotonic()
        if left_s <= 0:
            raise Transient(
                f"The LDAP server {self._settings.url} didn't tell of all users within {self._settings.timeout_s:g} s; "
                f"narrow the search base or raise the limit.",
                retry_after_s=10.0,
            )
        try:
            connection.search(
                self._settings.search_base,
                filter_text,
                attributes=[self._settings.name_attribute],
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


def _cookie(connection: Any) -> bytes:
    control = (connection.result.get("controls") or {}).get(_PAGED_RESULTS) or {}
    return bytes((control.get("value") or {}).get("cookie") or b"")
