"""Asks the first of several LDAP servers that answers, within one time for them all.

Each has its share of what is left of the time to let somebody in. One that has failed is asked last for a while, so
that a server which takes connections and says nothing costs its share once, not with each question.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from reconciler.errors import OnggiError, SettingsError, Terminal, Transient
from reconciler.host.ldap_settings import LdapSettings
from reconciler.network.limits import Limit

if TYPE_CHECKING:
    from reconciler.host.ldap_session import LdapSession

log = logging.getLogger("onggi.network")

_LAST_S: Final = 30.0  # for which one that has failed is asked after the others
_INVALID_CREDENTIALS: Final = 49
_BUSY, _UNAVAILABLE = 51, 52
_NO_SUCH_OBJECT: Final = 32
# A user's password: wrong (49), locked (19 or 53, by the server), none there (48), not to be used (50), gone (32).
_NOT_PROVEN: Final = frozenset({19, 32, 48, 49, 50, 53})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """A server that has let us in. `session` is ours, and stays so."""

    settings: LdapSettings
    url: str
    session: LdapSession

    def proves(self, dn: str, password: bytes) -> bool:
        """Whether this is the password of `dn`, by a connection that is used for nothing else."""
        import ldap

        from reconciler.host.ldap_session import ldap_session

        if not dn or not password or b"\0" in password:  # servers let in whoever gives none, as nobody in particular
            return False
        settings, left_s = self.settings, self.session.left_s()
        with ldap_session(
            self.url, start_tls=settings.start_tls, ca_file=settings.ca_file, timeout_s=left_s
        ) as session:
            try:
                session.bind(dn, password)
            except ldap.LDAPError as error:
                if _code(error) in _NOT_PROVEN:
                    return False
                raise
        return True


class LdapServers:
    """For any thread. `rests_s`: for how long nobody is asked at all once each of them has failed."""

    def __init__(self, settings: LdapSettings, *, rests_s: float = 0.0) -> None:
        self._settings = settings
        self._rests_s = rests_s
        self._lock = threading.Lock()
        self._failed: dict[str, float] = {}  # URL → when (monotonic)

    def ask(self, question: Callable[[Asked], T], limit: Limit) -> T:
        """The answer of the first server that has one.

        Raises Transient when none does, or when many ask just now; Terminal when they refuse.
        """
        import ldap  # what only an agent with a directory loads

        settings = self._settings
        with limit.turn("The LDAP server is"):
            password = settings.bind_password() if settings.bind_dn else ""
            if settings.ca_file is not None and not settings.ca_file.is_file():
                raise Terminal(
                    f"The ldap-ca-file {settings.ca_file} isn't there; put the authorities' certificates there."
                )
            self._rest()
            failures: list[OnggiError] = []
            ends = time.monotonic() + settings.timeout_s
            urls = self._in_order()
            for place, url in enumerate(urls):
                left_s = ends - time.monotonic()
                if left_s <= 0:
                    break
                try:
                    found = self._answer(question, url, password, left_s, left_s / (len(urls) - place))
                except ldap.FILTER_ERROR:
                    raise Terminal(f"{self._filters()} is malformed; correct it.") from None
                except (OnggiError, SettingsError):
                    raise
                except Exception as error:  # of the network, of libldap, or of whatever takes apart what it says
                    failures.append(self._failure(url, error))
                    self._note(url, failed=isinstance(failures[-1], Transient))
                else:
                    self._note(url, failed=False)
                    return found
            raise failures[0]

    def _answer(self, question: Callable[[Asked], T], url: str, password: str, left_s: float, begin_s: float) -> T:
        from reconciler.host.ldap_session import ldap_session

        settings = self._settings
        with ldap_session(
            url, start_tls=settings.start_tls, ca_file=settings.ca_file, timeout_s=left_s, begin_s=begin_s
        ) as session:
            session.bind(settings.bind_dn, password)
            return question(Asked(settings, url, session))

    def _rest(self) -> None:
        with self._lock:
            since = [self._failed.get(url) for url in self._settings.urls]
        if all(each is not None and time.monotonic() - each < self._rests_s for each in since):
            raise Transient("No LDAP server could be asked a moment ago; try again in a moment.", self._rests_s)

    def _in_order(self) -> list[str]:
        now = time.monotonic()
        with self._lock:
            return sorted(
                self._settings.urls, key=lambda url: url in self._failed and now - self._failed[url] < _LAST_S
            )

    def _note(self, url: str, *, failed: bool) -> None:
        with self._lock:
            if failed:
                self._failed[url] = time.monotonic()
            else:
                self._failed.pop(url, None)

    def _filters(self) -> str:
        settings = self._settings
        groups = f" or {settings.group_filter!r}" if settings.group_base else ""
        return f"The LDAP filter {settings.user_filter!r}{groups}"

    def _failure(self, url: str, error: Exception) -> OnggiError:
        """The server's own refusal, or that it can't be asked; the log tells why."""
        code, words = _code(error), _words(error)
        if code > 0 and code not in (_BUSY, _UNAVAILABLE):
            remedy = {
                _INVALID_CREDENTIALS: "check the bind DN and its password",
                _NO_SUCH_OBJECT: f"check the search base {self._settings.search_base!r}",
            }.get(code, "check the LDAP settings, and what the server allows")
            return Terminal(f"The LDAP server {url} refuses: {words}; {remedy}.")
        log.warning("the LDAP server %s can't be asked: %s: %s", url, type(error).__name__, words or error)
        return Transient(
            f"The LDAP server {url} can't be asked within {self._settings.timeout_s:g} s; check that it "
            "runs and that its address and certificate are right, or narrow ldap-search-base or ldap-user-filter.",
            retry_after_s=10.0,
        )


def _code(error: Exception) -> int:
    """What the server said, above 0; what libldap found by itself below."""
    about = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    return int(about.get("result", -1))


def _words(error: Exception) -> str:
    about = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    return str(about.get("desc", ""))
