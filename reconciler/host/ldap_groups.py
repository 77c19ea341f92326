"""In which groups of a directory somebody is, also through other groups; in bounds, and where groups name each other.

Asked is which groups name an entry, and not which the entry says it is in: in many directories people may write their
own entry. Where they may not, and the directory works it out, `member_of` believes that too.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import ldap
from ldap.filter import escape_filter_chars

from reconciler.host.ldap_names import Canonical, canonical, filter_of_groups, is_below, name_of
from reconciler.host.ldap_session import Entry, LdapSession
from reconciler.host.ldap_settings import LdapSettings

log = logging.getLogger("onggi.identity")

DEPTH: Final = 10  # of groups in groups
MOST_GROUPS: Final = 1_000
_PAGE: Final = 500
_AT_A_TIME: Final = 50  # members in one filter


@dataclass(frozen=True, slots=True)
class Group:
    """One of them."""

    name: str
    dn: Canonical


def groups_of(session: LdapSession, settings: LdapSettings, user: Entry, name: str) -> tuple[Group, ...]:
    """Each once. Those beyond the bounds aren't counted, which the log tells. Raises as a session does."""
    if not settings.group_base:
        return ()
    found: dict[Canonical, Entry] = {}
    level, names = [user], [name]
    for _ in range(DEPTH):
        new = []
        for entry in _above(session, settings, level, names):
            if (dn := canonical(entry.dn)) in found:
                continue
            if len(found) == MOST_GROUPS:
                log.warning("%s is in more than %d groups; the others don't count", name, MOST_GROUPS)
                return _named(found)
            found[dn] = entry
            new.append(entry)
        if not new:
            return _named(found)
        level, names = new, []
    log.warning("the groups of %s lie in each other more than %d deep; those further up don't count", name, DEPTH)
    return _named(found)


def _named(found: dict[Canonical, Entry]) -> tuple[Group, ...]:
    named = ((dn, name_of(entry, "cn")) for dn, entry in found.items())
    return tuple(Group(name, dn) for dn, name in named if name is not None)


def _above(
    session: LdapSession, settings: LdapSettings, level: Sequence[Entry], names: Sequence[str]
) -> Iterator[Entry]:
    """The groups that these entries are in; `names` are members of groups that have no DNs."""
    rest = iter(level)
    while batch := list(islice(rest, _AT_A_TIME)):
        members = [escape_filter_chars(entry.dn) for entry in batch]
        named = "".join(f"(member={dn})(uniqueMember={dn})" for dn in members)
        named += "".join(f"(memberUid={escape_filter_chars(name)})" for name in names)
        yield from every_group(session, settings, f"(|{named})")
    if settings.member_of:
        base = canonical(settings.group_base)
        for dn in dict.fromkeys(dn for entry in level for dn in entry.texts("memberOf")):
            if is_below(canonical(dn), base):
                yield from _group(session, settings, dn)


def every_group(session: LdapSession, settings: LdapSettings, condition: str) -> Iterator[Entry]:
    """All groups for which a filter holds, page by page."""
    wanted = filter_of_groups(settings, condition)
    for page in session.pages(settings.group_base, wanted, _ASKED, size=_PAGE, most=MOST_GROUPS + 1):
        yield from page.entries
        if page.cut:
            log.warning("the LDAP server tells of no more groups by a limit of its own; raise it")


def _group(session: LdapSession, settings: LdapSettings, dn: str) -> tuple[Entry, ...]:
    try:
        wanted = filter_of_groups(settings, "(objectClass=*)")
        pages = session.pages(dn, wanted, _ASKED, size=2, most=2, only_base=True)
        return tuple(entry for page in pages for entry in page.entries)
    except ldap.NO_SUCH_OBJECT:
        return ()


_ASKED: Final = ("cn", "memberOf")
