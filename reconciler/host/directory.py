"""The people and groups whom LDAP servers know. They are asked page by page, within a time, up to a number, and by few
at once. Logging in is done elsewhere, by the same settings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from reconciler.host.accounts import Names
from reconciler.host.ldap_servers import Asked, LdapServers, T
from reconciler.host.ldap_settings import LdapSettings
from reconciler.network.limits import Limit

if TYPE_CHECKING:
    from reconciler.host.ldap_session import Entry

PAGE: Final = 500
MOST_USERS: Final = 10_000  # and groups

# What is told of a user beside the name. Nothing else is ever asked for: an entry may hold the hash of a password.
_TOLD: Final = ("cn", "sn", "givenName", "displayName", "mail")
_AT_ONCE: Final = 4


class LdapAccounts:
    """The users and groups of one directory. Connects for each question; any method may be called from any thread.

    Raises Transient when no server answers, or when many ask just now; Terminal when they refuse.
    """

    def __init__(self, settings: LdapSettings) -> None:
        self._settings = settings
        self._servers = LdapServers(settings)
        self._limit = Limit(_AT_ONCE)

    def users(self) -> Names:
        """At most MOST_USERS names."""
        settings = self._settings

        def question(asked: Asked) -> Names:
            from reconciler.host.ldap_names import filter_of_all

            return _listed(asked, settings.search_base, filter_of_all(settings), settings.name_attribute, "users")

        return self._ask(question)

    def groups(self) -> Names:
        """At most as many; none where it isn't told where they are."""
        settings = self._settings
        if not settings.group_base:
            return Names(
                reason="Groups are listed only when users are the system's, or ldap-group-base says where they are."
            )

        def question(asked: Asked) -> Names:
            from reconciler.host.ldap_names import filter_of_groups

            return _listed(asked, settings.group_base, filter_of_groups(settings, "(cn=*)"), "cn", "groups")

        return self._ask(question)

    def entry(self, user_id: str) -> Mapping[str, tuple[str, ...]] | None:
        """What the directory has of who is called exactly so, by attribute: names and mail addresses."""
        found = self._ask(lambda asked: self._entry(asked, user_id)) if _can_be(user_id) else None
        if found is None:
            return None
        told = {attribute: found.texts(attribute) for attribute in found.attributes}
        return {attribute: texts for attribute, texts in told.items() if texts}

    def missing_user(self, user_ids: Iterable[str]) -> str | None:
        """The first of them that the directory doesn't have; all within the time limit."""
        return self._missing(user_ids, self._entry)

    def missing_group(self, names: Iterable[str]) -> str | None:
        """The first of them that it doesn't have."""
        if not self._settings.group_base:
            return next(iter(names), None)
        return self._missing(names, self._group)

    def _missing(self, names: Iterable[str], find: Callable[[Asked, str], Entry | None]) -> str | None:
        wanted = list(names)
        if not wanted or not _can_be(wanted[0]):
            return wanted[0] if wanted else None
        return self._ask(
            lambda asked: next((each for each in wanted if not (_can_be(each) and find(asked, each))), None)
        )

    def _entry(self, asked: Asked, user_id: str) -> Entry | None:
        from reconciler.host.ldap_names import filter_by_name, name_of

        settings = self._settings
        attribute = settings.name_attribute
        wanted = filter_by_name(settings, user_id)
        pages = asked.session.pages(settings.search_base, wanted, (attribute, *_TOLD), size=2, most=PAGE)
        return next((each for page in pages for each in page.entries if name_of(each, attribute) == user_id), None)

    def _group(self, asked: Asked, name: str) -> Entry | None:
        from ldap.filter import escape_filter_chars

        from reconciler.host.ldap_names import filter_of_groups, name_of

        settings = self._settings
        wanted = filter_of_groups(settings, f"(cn={escape_filter_chars(name)})")
        pages = asked.session.pages(settings.group_base, wanted, ("cn",), size=PAGE, most=PAGE)
        return next((each for page in pages for each in page.entries if name_of(each, "cn") == name), None)

    def _ask(self, question: Callable[[Asked], T]) -> T:
        return self._servers.ask(question, self._limit)


def _listed(asked: Asked, base: str, wanted: str, attribute: str, what: str) -> Names:
    found: set[str] = set()
    for page in asked.session.pages(base, wanted, (attribute,), size=PAGE, most=MOST_USERS + 1):
        found.update(_names(page.entries, attribute))
        if len(found) > MOST_USERS or (len(found) == MOST_USERS and page.cookie):
            reason = f"The directory has more than {MOST_USERS} {what}; only these are listed."
            return Names(tuple(sorted(found)[:MOST_USERS]), reason)
        if page.cut:
            reason = f"The LDAP server tells of no more than {len(found)} {what}; raise its size limit."
            return Names(tuple(sorted(found)), reason)
    return Names(tuple(sorted(found)))


def _names(entries: Iterable[Entry], attribute: str) -> Iterator[str]:
    from reconciler.host.ldap_names import name_of

    return (name for each in entries if (name := name_of(each, attribute)) is not None)


def _can_be(name: str) -> bool:
    from reconciler.host.ldap_names import can_be_a_name

    return can_be_a_name(name)
