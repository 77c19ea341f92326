"""What an entry of a directory is called, so that nobody gives it a second name, and how names are asked for.

An entry's owner may often add values to it. What it is called is the value in its DN, which its owner can't choose.
"""

from __future__ import annotations

import re
from typing import Final

import ldap
import ldap.dn
from ldap.filter import escape_filter_chars

from reconciler.host.ldap_session import Entry
from reconciler.host.ldap_settings import USERNAME, LdapSettings
from specs.name import INVISIBLE

Canonical = tuple[frozenset[tuple[str, str]], ...]

_LONGEST: Final = 256
_UNSEEN: Final = re.compile(f"[{INVISIBLE}]")


def can_be_a_name(text: str) -> bool:
    """Whether it is worth asking for: matching in a directory ignores blanks at the ends, and what can't be seen."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return 0 < len(text) <= _LONGEST and " ".join(text.split()) == text and not _UNSEEN.search(text)


def name_of(entry: Entry, attribute: str) -> str | None:
    """What it is called: of several values the one in its DN. None where that can't be told, or looks like another."""
    values = entry.texts(attribute)
    if len(values) > 1:
        values = tuple(value for value in _first(entry.dn, attribute) if value in values)
    return values[0] if len(values) == 1 and can_be_a_name(values[0]) else None


def canonical(dn: str) -> Canonical:
    """The same for all that a directory takes for the same DN. Raises ldap.DECODING_ERROR."""
    return tuple(
        frozenset((kind.lower(), " ".join(value.casefold().split())) for kind, value, _ in part)
        for part in ldap.dn.str2dn(dn)
    )


def is_the_dn(text: str, dn: Canonical) -> bool:
    """Whether somebody means that one; what isn't a DN means none."""
    try:
        return canonical(text) == dn
    except ldap.LDAPError:
        return False


def is_below(dn: Canonical, base: Canonical) -> bool:
    """Whether an entry is that one, or lies below it."""
    return dn[-len(base) :] == base if base else True


def filter_for(settings: LdapSettings, text: str) -> str:
    """Finds whoever logs in as `text`."""
    return _whole(settings.user_filter.replace(USERNAME, escape_filter_chars(text)))


def filter_of_all(settings: LdapSettings) -> str:
    """Finds all users."""
    return _whole(settings.user_filter.replace(USERNAME, "*"))


def filter_by_name(settings: LdapSettings, name: str) -> str:
    """Finds the user who is called so, by whatever they log in."""
    return f"(&({settings.name_attribute}={escape_filter_chars(name)}){filter_of_all(settings)})"


def filter_of_groups(settings: LdapSettings, condition: str) -> str:
    """Finds the groups for which `condition` holds, a filter in parentheses."""
    return f"(&{_whole(settings.group_filter)}{condition})"


def _whole(text: str) -> str:
    return text if text.startswith("(") else f"({text})"


def _first(dn: str, attribute: str) -> tuple[str, ...]:
    parts = ldap.dn.str2dn(dn)
    return tuple(value for kind, value, _ in parts[0] if kind.lower() == attribute.lower()) if parts else ()
