"""The accounts of a directory: a user is looked for by a service's account, and proven by a connection of their own.

Whatever isn't a clear yes of a server that could be asked is no login.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from reconciler.errors import OnggiError, Transient
from reconciler.host.ldap_servers import Asked, LdapServers, T
from reconciler.host.ldap_settings import LdapSettings
from reconciler.identity.account_state import ATTRIBUTES, is_closed
from reconciler.identity.elsewhere import is_this_hosts
from reconciler.identity.identity import Identity
from reconciler.identity.names import name_problem
from reconciler.network.limits import Busy, Limit

if TYPE_CHECKING:
    from reconciler.host.ldap_groups import Group
    from reconciler.host.ldap_session import Entry

log = logging.getLogger("onggi.identity")

TIMEOUT_S: Final = 10.0  # for one login, from whichever server
_RESTS_S: Final = 5.0
_LOG_IN_AT_ONCE: Final = 8  # together fewer than there are threads for logging in: some are always left
_LOOK_AT_ONCE: Final = 4
_MOST_KNOWN: Final = 10_000
_SAME: Final = ("entryUUID", "nsUniqueId", "objectGUID")  # what another account of the same name hasn't


class LdapLogins:
    """`Accounts` of the servers that `settings` names. Groups of the directory have their cn as name; those that
    `wanted` names by DN have that as well.
    """

    def __init__(
        self,
        settings: LdapSettings,
        wanted: Collection[str] = (),
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._settings = settings
        self._wanted = [text for text in wanted if "=" in text]
        self._now = now or (lambda: datetime.now(UTC))
        self._servers = LdapServers(settings, rests_s=_RESTS_S)
        self._logging_in, self._looking = Limit(_LOG_IN_AT_ONCE), Limit(_LOOK_AT_ONCE)
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[bytes, ...]] = OrderedDict()  # name → which account that was

    def proven(self, name: str, password: str) -> Identity | None:
        """As Accounts.proven. An empty password is nobody's, whatever a server would say."""
        from reconciler.host.ldap_names import can_be_a_name, filter_for

        try:
            secret = password.encode()
        except UnicodeEncodeError:
            return None
        if not secret or b"\0" in secret or not can_be_a_name(name):
            return None

        def question(asked: Asked) -> Identity | None:
            found = self._found(asked, filter_for(self._settings, name))
            if found is None or not asked.proves(found.dn, secret):
                return None
            return self._identity(asked, found, just_proven=True)

        return self._ask(question, self._logging_in)

    def current(self, name: str) -> Identity | None:
        """As Accounts.current: None once it is removed, locked, expired, or another's of the same name."""
        from reconciler.host.ldap_names import can_be_a_name, filter_by_name

        if not can_be_a_name(name):
            return None

        def question(asked: Asked) -> Identity | None:
            found = self._found(asked, filter_by_name(self._settings, name))
            identity = self._identity(asked, found, just_proven=False) if found is not None else None
            return identity if identity is not None and identity.name == name else None

        return self._ask(question, self._looking)

    def close(self) -> None:
        """Nothing is held between two questions."""

    def _ask(self, question: Callable[[Asked], T], limit: Limit) -> T:
        try:
            return self._servers.ask(question, limit)
        except Busy:
            raise
        except OnggiError as error:
            log.warning("nobody can log in: %s", error)  # who asks needn't know which servers there are
            raise Transient(
                "The directory can't be asked now, so nobody can log in; the agent's log says why.", _RESTS_S
            ) from None

    def _found(self, asked: Asked, wanted: str) -> Entry | None:
        """The one entry that a filter finds; of several none is it."""
        settings = self._settings
        attributes = (settings.name_attribute, *ATTRIBUTES, *_SAME, *(("memberOf",) if settings.member_of else ()))
        entries: list[Entry] = []
        for page in asked.session.pages(settings.search_base, wanted, attributes, size=2, most=2):
            entries += page.entries
            if len(entries) > 1:
                log.warning("the directory has several entries for one user, so that nobody is it: %s", _shown(entries))
                break
            if page.cut:
                raise Transient("The LDAP server ended its answer early: nobody knows whether there is another.")
        return entries[0] if len(entries) == 1 and entries[0].dn else None

    def _identity(self, asked: Asked, found: Entry, *, just_proven: bool) -> Identity | None:
        from reconciler.host.ldap_groups import groups_of
        from reconciler.host.ldap_names import name_of

        name = name_of(found, self._settings.name_attribute)
        if name is None or name_problem(name) or is_this_hosts(name):
            log.warning("the directory's entry %r can't log in, for its name can't be taken", found.dn)
            return None
        if is_closed(found.values, self._now(), just_proven=just_proven):
            return None
        if not self._is_same(name, found, just_proven=just_proven):
            return None
        groups = groups_of(asked.session, self._settings, found, name)
        return Identity(name, frozenset(each.name for each in groups) | self._by_dn(groups))

    def _by_dn(self, groups: Collection[Group]) -> frozenset[str]:
        if not self._wanted:
            return frozenset()
        from reconciler.host.ldap_names import is_the_dn

        return frozenset(text for text in self._wanted if any(is_the_dn(text, each.dn) for each in groups))

    def _is_same(self, name: str, found: Entry, *, just_proven: bool) -> bool:
        account = next((values for each in _SAME if (values := found.values(each))), (found.dn.encode(),))
        with self._lock:
            if not just_proven and self._known.get(name, account) != account:
                return False
            self._known[name] = account
            self._known.move_to_end(name)
            while len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)
        return True


def _shown(entries: Collection[Entry]) -> str:
    return " and ".join(repr(each.dn) for each in entries)
