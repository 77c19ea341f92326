"""Which LDAP servers are asked, by whom and for what; checked before anything is sent to one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.errors import SettingsError

if TYPE_CHECKING:
    from urllib.parse import SplitResult

USERNAME: Final = "%(username)s"
USER_FILTER: Final = f"(uid={USERNAME})"
GROUP_FILTER: Final = (
    "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup)(objectClass=group))"
)
_MOST_SERVERS: Final = 8


@dataclass(frozen=True, slots=True)
class LdapSettings:
    """`user_filter` finds one user by `%(username)s`, `name_attribute` is what a user is called; `bind_password` is
    asked for each time. Raises SettingsError.
    """

    url: str  # ldap://HOST[:PORT] or ldaps://HOST[:PORT]; of several, with blanks between them, the first that answers
    search_base: str
    user_filter: str = USER_FILTER
    name_attribute: str = "uid"
    bind_dn: str = ""  # who asks; empty: nobody in particular
    bind_password: Callable[[], str] = field(default=str, repr=False)
    start_tls: bool = False
    ca_file: Path | None = None  # whom to trust; None: the system's authorities
    timeout_s: float = 20.0  # for a question, from whichever server the answer comes
    group_base: str = ""  # below which entry groups are; empty: there are none
    group_filter: str = GROUP_FILTER
    member_of: bool = False  # believe also the groups that an entry itself says it is in
    has_logins: bool = False  # everybody's password is sent to it, to be checked
    in_clear: bool = False  # passwords may go through a network unencrypted

    def __post_init__(self) -> None:
        if "@" in self.url:  # and isn't repeated
            raise SettingsError("The LDAP server's URL names a user; say by ldap-bind-dn who asks.")
        if not 1 <= len(self.urls) <= _MOST_SERVERS:
            raise SettingsError(f"There are {len(self.urls)} LDAP servers in ldap-url; give 1 to {_MOST_SERVERS}.")
        for url in self.urls:
            self._check_tls(url, _parts(url))
        if not self.search_base:
            raise SettingsError("The LDAP server isn't told where to look; give ldap-search-base.")
        if USERNAME not in self.user_filter:
            raise SettingsError(
                f"The LDAP filter {self.user_filter!r} lacks {USERNAME}; write it where a name belongs."
            )
        if not self.name_attribute.replace("-", "").isalnum() or not self.name_attribute.isascii():
            raise SettingsError(
                f"ldap-name-attribute {self.name_attribute!r} isn't an attribute; give one such as uid."
            )
        if not 0 < self.timeout_s < float("inf"):
            raise SettingsError(f"The time limit for LDAP is {self.timeout_s:g} s; give more than 0.")

    @property
    def urls(self) -> tuple[str, ...]:
        """Each server, in the order in which they are asked."""
        return tuple(self.url.split()) or ("",)

    def _check_tls(self, url: str, parts: SplitResult) -> None:
        ldaps = parts.scheme == "ldaps"
        if ldaps and self.start_tls:
            raise SettingsError("ldaps:// is encrypted from the beginning; leave ldap-start-tls away, or use ldap://.")
        if ldaps or self.start_tls:
            return
        if self.ca_file is not None:
            raise SettingsError("An ldap-ca-file without TLS would guard nothing; use ldaps:// or ldap-start-tls.")
        if self.in_clear or _is_this_machine(parts.hostname or ""):
            return
        if self.bind_dn or self.has_logins:
            whose = "everybody's password" if self.has_logins else "the password of ldap-bind-dn"
            raise SettingsError(
                f"{url} would carry {whose} in clear; use ldaps:// or ldap-start-tls. Only where nobody can listen on "
                "the way, ldap-passwords-in-clear allows it."
            )


def _parts(url: str) -> SplitResult:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        rest = parts.path.strip("/") or parts.query or parts.fragment
        usable = parts.scheme in ("ldap", "ldaps") and bool(parts.hostname) and parts.port != 0 and not rest
    except ValueError:
        usable = False
    if not usable:
        raise SettingsError(f"{url!r} isn't the URL of an LDAP server; give one such as ldap://localhost:389.")
    return parts


def _is_this_machine(host: str) -> bool:
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
